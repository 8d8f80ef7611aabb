/**
 * Cases of options that come by a `cachingFetch`, by headers, or for all calls of some code.
 * @module
 */
import { createCache } from '../../../src/cache/cache.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { headerOptions } from '../../../src/clients/http/header-options.ts'
import type { Cases } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken, withoutModules } from './mistaken.ts'

const key = `sk-${secret('key')}`
const init = { method: 'POST', body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: secret('prompt') }] }) }

/** The cases of these files. */
export const fetchCases: Cases = {
  'src/clients/http/fetch-options.ts': [
    {
      name: 'options that are mistaken',
      async run(issuer) {
        for (const options of [{ headers: key }, { headers: { authorization: key } }, { ttl: key }, { [key]: key }, key]) {
          await issuer.refused(() => cachingFetch(createCache(), undefined, mistaken(options)))
        }
      },
    },
  ],
  'src/clients/http/header-options.ts': [
    {
      name: 'headers that are mistaken',
      async run(issuer) {
        const fetch = cachingFetch(issuer.cache(), async () => new Response('{}'))
        for (const name of ['ttl', 'mode', 'variant', 'context', 'tags', key]) {
          const headers = { authorization: key, [`x-llmemo-${name}`]: name === 'tags' ? `${key},,` : key }
          issuer.keep('read', headerOptions(new Headers(headers)))
          issuer.keep('answer', await (await fetch('https://api.openai.com/v1/chat/completions', { ...init, headers })).text())
        }
        // No other text is refused, so none that is can hold a secret.
        issuer.keep('read', headerOptions(new Headers({ 'x-llmemo-scope': 'undefined' })))
      },
    },
  ],
  'src/engine/settings/ambient-options.ts': [
    {
      name: 'a runtime without what follows the code',
      run: (issuer) => withoutModules(() => issuer.refused(() => issuer.cache().with({ scope: key, context: key }, () => key))),
    },
  ],
}
