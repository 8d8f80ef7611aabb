"""Asks a question in OpenAI's protocol with what Python has itself, and prints the answer as it came."""

import json
import sys
import urllib.error
import urllib.request

url, body, headers = sys.argv[1:]
request = urllib.request.Request(url, data=body.encode(), headers=json.loads(headers), method="POST")
try:
    with urllib.request.urlopen(request) as answer:
        sys.stdout.write(answer.read().decode())
except urllib.error.HTTPError as error:
    sys.stderr.write(error.read().decode())
    sys.exit(22)
