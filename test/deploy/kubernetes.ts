/**
 * A checker of Kubernetes' manifests, by the models of its own API.
 * @module
 */
import { validate as deployment } from 'kubernetes-models/_schemas/IoK8sApiAppsV1Deployment'
import { validate as autoscaler } from 'kubernetes-models/_schemas/IoK8sApiAutoscalingV2HorizontalPodAutoscaler'
import { validate as service } from 'kubernetes-models/_schemas/IoK8sApiCoreV1Service'
import { validate as networkPolicy } from 'kubernetes-models/_schemas/IoK8sApiNetworkingV1NetworkPolicy'
import { parseAllDocuments } from 'yaml'

/** A compiled schema. It ignores fields that it does not know. */
interface Validate {
  (data: unknown): boolean
  readonly errors?: readonly object[] | null
}

const schemas: Readonly<Record<string, Validate>> = {
  'apps/v1 Deployment': deployment,
  'v1 Service': service,
  'autoscaling/v2 HorizontalPodAutoscaler': autoscaler,
  'networking.k8s.io/v1 NetworkPolicy': networkPolicy,
}

/** Everything wrong with the manifests of a file, one sentence each. */
export function mistakesInManifests(text: string): string[] {
  return parseAllDocuments(text).flatMap((document) => {
    const manifest: { readonly apiVersion: string; readonly kind: string } = document.toJS()
    const validate = schemas[`${manifest.apiVersion} ${manifest.kind}`]
    if (validate === undefined) return [`${manifest.kind}: is of no known kind`]
    const unread = new Set<string>()
    const isValid = validate(watched(manifest, manifest.kind, unread))
    const errors = isValid ? [] : (validate.errors ?? [])
    const unknown = Array.from(unread, (path) => `${path}: is an unknown field`)
    return errors.map((error) => `${manifest.kind}: ${JSON.stringify(error)}`).concat(unknown)
  })
}

/** A view of a value that takes out of `unread` each field that is looked at. A schema looks at all those that it knows. */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const views = new Map(Object.entries(value).map(([name, member]) => [name, watched(member, `${path}.${name}`, unread)]))
  if (!Array.isArray(value)) for (const name of views.keys()) unread.add(`${path}.${name}`)
  return new Proxy(value, {
    get(target, name): unknown {
      if (typeof name !== 'string' || !views.has(name)) return Reflect.get(target, name)
      unread.delete(`${path}.${name}`)
      return views.get(name)
    },
    // A map, such as labels, may have any.
    ownKeys(target) {
      for (const name of views.keys()) unread.delete(`${path}.${name}`)
      return Reflect.ownKeys(target)
    },
  })
}
