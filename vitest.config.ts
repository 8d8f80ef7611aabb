import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    // `llmemo` and its subpaths are the source, by the list in tsconfig.json; test/package.test.ts proves the built package.
    tsconfigPaths: true,
  },
  test: {
    include: ['test/**/*.test.ts', 'examples/*.test.ts', 'gateway/test/**/*.test.ts'],
    // Large packages, which `npm run test:frameworks`, `test:runtimes` and `test:cdk` install.
    exclude: ['test/frameworks/**', 'test/cdk/**', 'test/runtimes/**'],
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
