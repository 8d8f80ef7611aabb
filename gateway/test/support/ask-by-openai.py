"""Asks a question by Python's `openai`, and prints the answer, or each part of it, as JSON on a line."""

import json
import sys

import openai

url, body, headers = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0, default_headers=json.loads(headers))
answer = client.chat.completions.create(**json.loads(body))
for part in answer if json.loads(body).get("stream") else [answer]:
    print(part.model_dump_json())
