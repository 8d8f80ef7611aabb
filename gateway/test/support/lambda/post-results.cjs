/**
 * Posts the results of invocations to the Runtime API. In CommonJS, as Lambda's Node.js 22 lets no module of ECMAScript be required.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`

/** A result. */
exports.done = (id, body) => void fetch(`${base}/${id}/response`, { method: 'POST', body })

/** A failure. */
exports.error = (id, body) => void fetch(`${base}/${id}/error`, { method: 'POST', body })
