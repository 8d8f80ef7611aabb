import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const all = ['test/**/*.test.ts', 'examples/*.test.ts', 'gateway/test/**/*.test.ts']

/** Rooms whose tests leave nothing behind in their process, so that one process runs them all: each file has the modules at once. */
const sharing = [
  'adapters',
  'base',
  'cache',
  'clients',
  'codec',
  'engine',
  'env',
  'json',
  'key',
  'memory',
  'monitor',
  'providers',
  'testing',
].map((room) => `test/${room}/**/*.test.ts`)

/** What changes the modules, the globals or the environment of its process, or listens to all of it. Such a file has a process of its own. */
const changesProcess =
  /\bresetModules\b|\bvi\.(?:do)?[mM]ock\(|\bstubGlobal\b|\bstubEnv\b|\bprocess\.env\[.*\] =|\btracingChannel\b|\bsetGlobal|Property\(globalThis\b/
const ofProcess = globSync(sharing, { cwd: import.meta.dirname }).filter((path) =>
  changesProcess.test(readFileSync(join(import.meta.dirname, path), 'utf8')),
)

// Large packages, which `npm run test:frameworks`, `test:runtimes` and `test:cdk` install.
const apart = ['test/frameworks/**', 'test/cdk/**', 'test/runtimes/**']

export default defineConfig({
  resolve: {
    // `llmemo` and its subpaths are the source, by the list in tsconfig.json; test/package.test.ts proves the built package.
    tsconfigPaths: true,
  },
  test: {
    projects: [
      { extends: true, test: { name: 'own process', include: all, exclude: [...sharing, ...apart] } },
      { extends: true, test: { name: 'of the process', include: ofProcess } },
      { extends: true, test: { name: 'shared process', include: sharing, exclude: ofProcess, isolate: false } },
    ],
    globalSetup: [
      'test/support/install-redis.ts',
      'test/support/install-promtool.ts',
      'test/support/install-chromium.ts',
      'test/support/install-nats.ts',
      'gateway/test/support/lambda/install-runtime-client.ts',
    ],
    restoreMocks: true,
    // By default one core is left idle, which on a machine of two is half of it.
    maxWorkers: '100%',
    // They only end what hangs. A test on a busy machine of two cores stays far below.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
