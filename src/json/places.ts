/**
 * The places in a request: where the order of members counts, and which texts are prose.
 *
 * An object of the protocol's own, such as a message, means the same in any order of its members. Free-form JSON does not: models write in
 * the order of a schema's properties, and read tool inputs and results in their order. So only the objects at known places are sorted. An
 * object at any other place keeps its order. If that place is the protocol's own after all, another order is a miss, never a wrong answer.
 *
 * A place is a path of member names: `messages.content.image_url`. The elements of an array are at the place of the array itself.
 * @module
 */

/** One place in a request. */
export class Place {
  /** Whether the order of an object's members counts here. */
  readonly isOrdered: boolean
  /** Whether a text here is prose, which may be folded. */
  readonly isProse: boolean
  readonly #makeMembers: () => Iterable<readonly [string, Place]>
  #members: Map<string, Place> | undefined
  readonly #others: Place

  /**
   * @param members makes the members. It is called when they are first asked for, as most processes ask for those of one endpoint only
   * @param others the place of the members that are not in `members` @default this place itself
   */
  constructor(
    { isOrdered, isProse }: { readonly isOrdered: boolean; readonly isProse: boolean },
    members: () => Iterable<readonly [string, Place]> = () => [],
    others?: Place,
  ) {
    this.isOrdered = isOrdered
    this.isProse = isProse
    this.#makeMembers = members
    this.#others = others ?? this
  }

  /** The place of the member `name` of an object at this place. */
  member(name: string): Place {
    this.#members ??= new Map(this.#makeMembers())
    return this.#members.get(name) ?? this.#others
  }
}

/** A place where all objects are sorted and all texts are prose, at any depth. */
export const everyPlace = new Place({ isOrdered: false, isProse: true })

/** A place of free-form JSON, at any depth. */
export const freeForm = new Place({ isOrdered: true, isProse: false })

/** What is known of the places in a request. */
export interface PlaceTable {
  /** The objects whose members count in any order. The objects on the path to one of them, and the request itself, are such objects too. */
  readonly unordered: readonly string[]
  /** The texts that are prose: those of messages. */
  readonly prose: readonly string[]
}

/** The place of a whole request. */
export class RequestPlace extends Place {
  /** What it was made of. It is published with the test vectors of the key. */
  readonly table: PlaceTable

  constructor(table: PlaceTable) {
    super({ isOrdered: false, isProse: false }, () => placesBelow(table), freeForm)
    this.table = table
  }
}

/** The place of the whole request, by what is known of the places in it. */
export function placeOf(table: PlaceTable): RequestPlace {
  return new RequestPlace(table)
}

function placesBelow({ unordered, prose }: PlaceTable): (readonly [string, Place])[] {
  const names = new Set([...unordered, ...prose].map((path) => path.split('.', 1).join()))
  return Array.from(names, (name) => {
    const below = { unordered: pathsIn(name, unordered), prose: pathsIn(name, prose) }
    const isOrdered = !unordered.includes(name) && below.unordered.length + below.prose.length === 0
    return [name, new Place({ isOrdered, isProse: prose.includes(name) }, () => placesBelow(below), freeForm)] as const
  })
}

/** The rest of those paths that lead through the member `name`. */
function pathsIn(name: string, paths: readonly string[]): string[] {
  return paths.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1))
}

/** A request of whose objects nothing is known. */
export const flatRequest = placeOf({ unordered: [], prose: [] })

/** `paths`, each below the place `at`. */
export function pathsBelow(at: string, paths: readonly string[]): string[] {
  return paths.map((path) => `${at}.${path}`)
}
