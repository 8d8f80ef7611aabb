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

/** A manifest, as far as others refer to it. */
interface Manifest {
  readonly kind: string
  readonly metadata?: { readonly name?: string }
  readonly spec?: {
    readonly selector?: Readonly<Record<string, unknown>>
    readonly ports?: readonly { readonly targetPort?: unknown }[]
    readonly scaleTargetRef?: { readonly name?: string }
    readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, unknown>> }; readonly spec?: Pod }
  }
}

interface Pod {
  readonly securityContext?: { readonly runAsNonRoot?: boolean }
  readonly containers?: readonly Container[]
}

interface Probe {
  readonly httpGet?: { readonly path?: string }
}

interface Container {
  readonly ports?: readonly { readonly name?: string }[]
  readonly readinessProbe?: Probe
  readonly livenessProbe?: Probe
  readonly startupProbe?: Probe
  readonly securityContext?: { readonly allowPrivilegeEscalation?: boolean }
}

/** What a probe may ask the gateway for without a key. */
const probed = new Set(['/health', '/ready'])

/** Ends of a file's manifests that do not meet, and what a container may do that it need not. */
export function dangersIn(text: string): string[] {
  const manifests = parseAllDocuments(text).map((document): Manifest => document.toJS())
  const deployments = manifests.filter(({ kind }) => kind === 'Deployment')
  const labels = deployments.map(({ spec }) => spec?.template?.metadata?.labels ?? {})
  const pods = deployments.flatMap(({ spec }) => spec?.template?.spec ?? [])
  const containers = pods.flatMap((pod) => pod.containers ?? [])
  const ports = new Set(containers.flatMap((container) => (container.ports ?? []).map(({ name }) => name)))
  const services = manifests.flatMap(({ kind, spec }) => (kind === 'Service' && spec !== undefined ? [spec] : []))
  const paths = containers.flatMap(({ readinessProbe, livenessProbe, startupProbe }) =>
    [readinessProbe, livenessProbe, startupProbe].flatMap((probe) => probe?.httpGet?.path ?? []),
  )
  return [
    ...services
      .filter(({ selector = {} }) => !labels.some((each) => Object.entries(selector).every(([name, value]) => each[name] === value)))
      .map(() => 'Service: selects no pod'),
    ...services
      .flatMap((service) => (service.ports ?? []).map(({ targetPort }) => targetPort))
      .filter((port): port is string => typeof port === 'string' && !ports.has(port))
      .map((port) => `Service: no container has a port ${port}`),
    ...manifests
      .flatMap(({ spec }) => spec?.scaleTargetRef?.name ?? [])
      .filter((name) => !deployments.some(({ metadata }) => metadata?.name === name))
      .map((name) => `HorizontalPodAutoscaler: scales ${name}, which is not there`),
    ...paths.filter((path) => !probed.has(path)).map((path) => `Deployment: asks for ${path}, which the gateway does not have`),
    ...pods.filter(({ securityContext }) => securityContext?.runAsNonRoot !== true).map(() => 'Deployment: may run as root'),
    ...containers
      .filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
      .map(() => 'Deployment: may become root'),
  ]
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
