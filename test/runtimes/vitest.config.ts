import { defineConfig, type ViteUserConfig } from 'vitest/config'
import common from '../../vitest.config.ts'

const { test: { projects: _, ...test } = {}, ...rest }: ViteUserConfig = common

export default defineConfig({
  ...rest,
  test: { ...test, include: ['test/runtimes/*.test.ts'], exclude: [], globalSetup: ['test/runtimes/install.ts'] },
})
