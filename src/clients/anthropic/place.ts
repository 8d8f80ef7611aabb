/**
 * Where a client for another cloud sends its calls, beside their URL. Under a base URL of the caller's own, the seam sees the same URL for
 * every project and region: the SDK puts them into the path, or into the signature, below the seam.
 * Source: `backendMiddleware` of @anthropic-ai/vertex-sdk, bedrock-sdk and aws-sdk. Foundry's resource is always in the URL, and the
 * workspace of aws-sdk in a header
 * @module
 */
import { isJsonObject } from '../../json/object.ts'

/** The place of the next call of `client`, as the fragment of a URL; `''` if its URL says all. */
export function placeOf(client: object): string | Promise<string> {
  if (Object.hasOwn(client, 'projectId') && Object.hasOwn(client, 'region')) {
    const projectId = textOf(client, 'projectId')
    return projectId === undefined ? foundPlace(client) : vertexPlace(client, projectId)
  }
  const region = textOf(client, 'awsRegion')
  return region === undefined ? '' : `#regions/${encodeURIComponent(region)}`
}

/** The place of a client without a project of its own: the SDK takes that of Google's credentials. */
async function foundPlace(client: object): Promise<string> {
  try {
    const found: unknown = await Reflect.get(client, '_authClientPromise')
    const auth = isJsonObject(found) ? found : {}
    const projectId = textOf(auth, 'projectId') ?? textOf(auth, 'quotaProjectId')
    if (projectId !== undefined) return vertexPlace(client, projectId)
  } catch {
    // The SDK meets the same fault, and its error says what to do.
  }
  return vertexPlace(client, unknownProject(client))
}

function vertexPlace(client: object, projectId: string): string {
  return `#projects/${encodeURIComponent(projectId)}/locations/${encodeURIComponent(textOf(client, 'region') ?? '')}`
}

const unknownProjects = new WeakMap<object, string>()

/** A name for the project of this client alone, as it is not known whether another client has the same. */
function unknownProject(client: object): string {
  const name = unknownProjects.get(client) ?? `unknown ${crypto.randomUUID()}`
  unknownProjects.set(client, name)
  return name
}

function textOf(object: object, name: string): string | undefined {
  const value: unknown = Reflect.get(object, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}
