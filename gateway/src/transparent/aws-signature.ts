/**
 * Calls to AWS are signed by the gateway: the signature of a client is for the gateway's address, and holds nothing by which another could be
 * made. A client that sends a Bedrock API key instead is not signed for.
 * @module
 */
import { createHash, createHmac } from 'node:crypto'
import type { SignatureV4 } from '@smithy/signature-v4'
import type { Checksum, SourceData } from '@smithy/types'

/** How a client signs. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const scheme = 'AWS4-HMAC-SHA256 '

/** Headers of a client's signature, each of which is another one upstream. */
const ofSignature = ['x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256', 'amz-sdk-invocation-id', 'amz-sdk-request']

/** The region in a signature. */
const regionPattern = /Credential=[^/]+\/\d+\/([a-z0-9-]+)\//

/** Whose credentials sign. */
export interface SignerOptions {
  /** @default that of the client's signature */
  readonly region?: string
}

/**
 * Marks a request that the gateway signs: it has no API key. The mark has the form of a signature, from which the cache reads the region, as
 * it does for a client that calls AWS itself.
 */
export function markForSigning(headers: Headers, region = 'us-east-1'): void {
  const given = headers.get('authorization')
  if (given !== null && !given.startsWith(scheme)) return
  const own = regionPattern.exec(given ?? '')?.[1] ?? region
  for (const name of ofSignature) headers.delete(name)
  headers.set('authorization', `${scheme}Credential=gateway/00000000/${own}/bedrock/aws4_request`)
}

/** Makes the signer. The credentials are those of the process, found when first needed. @returns the init, signed if it is marked */
export function signer({
  region: configured,
}: SignerOptions): (input: string | URL | Request, init?: RequestInit) => Promise<RequestInit | undefined> {
  const byRegion = new Map<string, Promise<SignatureV4>>()
  const signerFor = (region: string): Promise<SignatureV4> => {
    const known = byRegion.get(region)
    if (known !== undefined) return known
    const made = openSigner(region)
    byRegion.set(region, made)
    return made
  }
  return async (input, init) => {
    const headers = new Headers(init?.headers)
    const mark = headers.get('authorization')
    if (mark === null || !mark.startsWith(`${scheme}Credential=gateway/`)) return init
    headers.delete('authorization')
    const url = new URL(input instanceof Request ? input.url : input)
    // Clients choose the text of a region, and each would be kept.
    const region = configured ?? regionPattern.exec(mark)?.[1] ?? ''
    const signed = await (
      await signerFor(region)
    ).sign({
      method: init?.method ?? 'GET',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...Object.fromEntries(headers), host: url.host },
      ...(typeof init?.body === 'string' && { body: init.body }),
    })
    const { host: _host, ...sent } = signed.headers
    return { ...init, headers: new Headers(sent) }
  }
}

/** Only a gateway that signs loads the AWS SDK, which other runtimes than Node.js may not be able to. */
async function openSigner(region: string): Promise<SignatureV4> {
  const [{ BedrockRuntimeClient }, { SignatureV4: Signature }] = await Promise.all([
    import('@aws-sdk/client-bedrock-runtime'),
    import('@smithy/signature-v4'),
  ])
  const { credentials } = new BedrockRuntimeClient({ region }).config
  return new Signature({ service: 'bedrock', region, credentials, sha256: Sha256, uriEscapePath: true })
}

/** The hash that the signer needs. */
class Sha256 implements Checksum {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(data: SourceData): void {
    this.#hash.update(bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): never {
    throw new TypeError('llmemo-gateway: a hash of a signature is used once.')
  }
}

function bytesOf(data: SourceData): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}
