/**
 * Posts the results of invocations to the Runtime API.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 * @module
 */

const base = `http://${process.env['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation`

/** A result. */
export function done(id: string, body: string): void {
  void fetch(`${base}/${id}/response`, { method: 'POST', body })
}

/** A failure. */
export function error(id: string, body: string): void {
  void fetch(`${base}/${id}/error`, { method: 'POST', body })
}
