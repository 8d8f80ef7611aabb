import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: { index: 'src/index.ts', bin: 'src/bin.ts', client: 'src/client/client.ts', lambda: 'src/lambda/index.ts' },
  // A program: it needs no CommonJS.
  format: ['esm'],
  checks: { pluginTimings: false },
  platform: 'node',
  target: 'node22.12',
  // The files of the dashboard, which browsers take as they are.
  copy: ['src/dashboard/page'],
  tsconfig: '../tsconfig.json',
  dts: true,
  suppressWarnings: [/TypeScript 7\.0 does not yet have a stable API/],
  outputOptions: { comments: { legal: true, annotation: true, jsdoc: false } },
  failOnWarn: true,
})
