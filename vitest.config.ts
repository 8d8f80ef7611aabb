import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    // `llmemo` and its subpaths are the source, by the list in tsconfig.json; test/package.test.ts proves the built package.
    tsconfigPaths: true,
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/install-redis.ts'],
    restoreMocks: true,
    testTimeout: 20_000,
  },
})
