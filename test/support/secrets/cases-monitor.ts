/**
 * Cases of monitors: their options, and what they tell of calls that hold secrets.
 * @module
 */
import { type Attributes, metrics, trace } from '@opentelemetry/api'
import { createCache, type Cache } from '../../../src/cache/cache.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { createMonitor } from '../../../src/monitor/monitor.ts'
import { instrumentCache } from '../../../src/monitor/otel.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { answer, question, settle } from '../chat.ts'
import type { Cases, Issuer, SecretCase } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const password = secret('password')
const token = `sk-${secret('token')}`
const prompt = secret('prompt')
const wrong: readonly unknown[] = [token, { [password]: password }, [token], Symbol(password), () => password]

/** A case that gives each wrong value, all of which are refused. */
const refusing = (name: string, action: (value: never) => unknown, values = wrong): SecretCase => ({
  name,
  async run(issuer) {
    for (const value of values) await issuer.refused(() => action(mistaken(value)))
  },
})

const monitor = (options: object): unknown => createMonitor(createCache(), mistaken({ clock: new ManualClock(), ...options }))

/** Calls of one customer that miss, hit and fail. */
async function use(cache: Cache): Promise<void> {
  let isDown = false
  const fetch = cachingFetch(cache, async () =>
    isDown ? Promise.reject(new Error(prompt)) : Response.json(answer(secret('answer').repeat(20))),
  )
  const ask = async (text: string): Promise<void> => {
    const headers = { authorization: `Bearer ${secret('key')}`, 'content-type': 'application/json' }
    await fetch(`https://api.openai.com/v1/chat/completions?token=${token}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(question(text).body),
    })
      .then((response) => response.text())
      .catch(() => undefined)
    await settle()
  }
  await ask(prompt)
  await ask(prompt)
  isDown = true
  await ask(`${prompt} again`)
  await cache.invalidate({ tags: [secret('name')] })
}

/** A meter and a tracer that keep all that they are told. */
function keeping(issuer: Issuer) {
  const observers: ((result: object) => unknown)[] = []
  const instrument = {
    record: (...told: unknown[]) => issuer.keep('metric', told),
    add: (...told: unknown[]) => issuer.keep('metric', told),
  }
  const span = (...told: unknown[]): object => {
    issuer.keep('span', told)
    const more = (...given: unknown[]): void => issuer.keep('span', given)
    return { setAttribute: more, setAttributes: more, setStatus: more, recordException: more, addEvent: more, updateName: more, end: more }
  }
  const meter = new Proxy(metrics.getMeter('test'), {
    get: (_, name) =>
      name === 'addBatchObservableCallback' ? (observer: (result: object) => unknown) => observers.push(observer) : () => instrument,
  })
  const tracer = new Proxy(trace.getTracer('test'), { get: () => span })
  const observe = (): void => {
    const result = { observe: (_: unknown, value: number, attributes: Attributes) => issuer.keep('metric', [value, attributes]) }
    for (const observer of observers) observer(result)
  }
  return { meter, tracer, observe }
}

/** The cases of these files. */
export const monitorCases: Cases = {
  'src/monitor/options.ts': [
    ...['textSizes', 'thresholds', 'retention', password].map((option) =>
      refusing(`${option} is a secret`, (value) => monitor({ [option]: value })),
    ),
    refusing('retention is too long', (retention) => monitor({ retention }), ['2d']),
    ...['small', 'medium', 'large', password].map((name) =>
      refusing(`textSizes.${name} is a secret`, (value) => monitor({ textSizes: { [name]: value } })),
    ),
    refusing('text sizes in a wrong order', (textSizes) => monitor({ textSizes }), [{ small: 10, medium: 5 }]),
    ...['memoryBytes', 'memoryShare', 'readMs', 'hitRate', 'leastCalls', 'invalidations', password].map((name) =>
      refusing(`thresholds.${name} is a secret`, (value) => monitor({ thresholds: { [name]: value } })),
    ),
  ],
  'src/monitor/monitor.ts': [
    {
      name: 'stretches of time and events that are none',
      async run(issuer) {
        const watching = createMonitor(issuer.cache(), { clock: new ManualClock() })
        for (const value of [...wrong, '2h']) await issuer.refused(() => watching.report({ since: mistaken(value) }))
        for (const value of [...wrong, password.slice(0, 12)]) await issuer.refused(() => watching.on(mistaken(value), () => password))
        watching.close()
      },
    },
    // The user chose to see a report by scope. Metrics leave the program, and have none.
    ...[secret('name'), 'customer'].map((scope) => ({
      name: `what is told of calls in the scope ${scope}`,
      async run(issuer: Issuer) {
        const clock = new ManualClock()
        const cache = createCache({ prices: false, clock, scope })
        const thresholds = { memoryBytes: [1], hitRate: 1, leastCalls: 1, invalidations: 1, readMs: 1e-9 }
        const watching = createMonitor(cache, { clock, thresholds })
        watching.on('warning', (warning) => issuer.keep('warning', warning))
        watching.on('warning', () => {
          throw new Error(prompt)
        })
        await use(cache)
        clock.advance(60_000)
        const report = watching.report()
        if (scope === 'customer') {
          issuer.keep('report', report)
          issuer.keep('report as CSV', report.toCsv())
        }
        issuer.keep('prometheus()', watching.prometheus())
        issuer.keep('emf()', watching.emf())
        issuer.keep('the monitor itself', watching)
        watching.close()
      },
    })),
  ],
  'src/monitor/emf.ts': [
    {
      name: 'names that cannot be',
      async run(issuer) {
        const watching = createMonitor(issuer.cache(), { clock: new ManualClock() })
        for (const value of [`:${token}`, `${password}\n`, '', password.repeat(50), { [password]: password }, [token]]) {
          await issuer.refused(() => watching.emf({ service: mistaken(value) }))
          await issuer.refused(() => watching.emf({ namespace: mistaken(value) }))
        }
        await issuer.refused(() => watching.emf(mistaken({ [password]: password })))
        watching.close()
      },
    },
  ],
  'src/monitor/otel.ts': [
    {
      name: 'options that cannot be',
      async run(issuer) {
        const cache = issuer.cache()
        for (const value of wrong) {
          await issuer.refused(() => instrumentCache(cache, { meter: mistaken(value) }))
          await issuer.refused(() => instrumentCache(cache, { tracer: mistaken(value) }))
        }
        for (const options of [{}, token, { [password]: password }, { tracer: keeping(issuer).tracer, spans: password }])
          await issuer.refused(() => instrumentCache(cache, mistaken(options)))
      },
    },
    {
      name: 'metrics and spans of calls',
      async run(issuer) {
        const cache = createCache({ prices: false, scope: secret('name') })
        const { meter, tracer, observe } = keeping(issuer)
        const end = instrumentCache(cache, { meter, tracer, spans: 'all' })
        await use(cache)
        observe()
        end()
      },
    },
  ],
}
