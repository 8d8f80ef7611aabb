import { defineConfig } from 'tsdown'

export default defineConfig({
  // One entry for each subpath of `exports` in package.json, whatever the folders inside `src`.
  entry: {
    index: 'src/index.ts',
    'ai-sdk': 'src/adapters/ai-sdk/middleware.ts',
    cosmos: 'src/stores/cosmos/store.ts',
    dynamodb: 'src/stores/dynamodb/store.ts',
    cli: 'src/cli/bin.ts',
    env: 'src/env/env.ts',
    firestore: 'src/stores/firestore/store.ts',
    langchain: 'src/adapters/langchain/langchain.ts',
    monitor: 'src/monitor/monitor.ts',
    objects: 'src/stores/objects/objects.ts',
    otel: 'src/monitor/otel.ts',
    redis: 'src/stores/redis/store.ts',
    sqlite: 'src/stores/sqlite/store.ts',
    sqs: 'src/stores/sqs/store.ts',
    testing: 'src/testing/index.ts',
  },
  // CommonJS too: AWS Lambda's nodejs22.x cannot `require` an ES module.
  format: ['esm', 'cjs'],
  // Their types are used where they are installed, and are never copied.
  deps: { neverBundle: ['@google/genai', 'groq-sdk', 'together-ai', /^@perplexity-ai\/perplexity_ai/, /^@cerebras\/cerebras_cloud_sdk/] },
  checks: { legacyCjs: false, pluginTimings: false },
  platform: 'node',
  target: 'node22.12',
  // TypeScript 7 writes the declarations; tsdown says on every build that its interface is young.
  dts: true,
  suppressWarnings: [/TypeScript 7\.0 does not yet have a stable API/],
  // `import.meta.url` in CommonJS.
  shims: true,
  outputOptions: {
    // They are in the declarations, where editors show them; here they are only read over each time that the package is loaded.
    comments: { legal: true, annotation: true, jsdoc: false },
    // What several doors share is one file: to find, open and link a file takes longer than to read it. What the front door has no part in
    // is none of it: `src/env` names the clients of stores, and a bundler fails on the name of a package that is not installed.
    codeSplitting: {
      groups: [
        {
          name: 'core',
          test: /[\\/]src[\\/](?!env[\\/]|monitor[\\/]|stores[\\/](?:dynamodb|redis|sqlite|sqs)[\\/]).*(?<!\.d)\.ts$/,
          minShareCount: 2,
          tags: ['$initial'],
        },
        { name: 'environment', test: /[\\/]src[\\/]env[\\/].*(?<!\.d)\.ts$/, minShareCount: 2 },
      ],
    },
  },
  failOnWarn: true,
})
