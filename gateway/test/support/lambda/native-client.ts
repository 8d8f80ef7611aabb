/**
 * The native part of Lambda's runtime client in JavaScript, so that the tests need no compiler: how a result is posted. To be preloaded.
 * @module
 */
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === './rapid-client.node'
      ? { url: new URL('./post-results.cjs', import.meta.url).href, format: 'commonjs', shortCircuit: true }
      : next(specifier, context),
})
