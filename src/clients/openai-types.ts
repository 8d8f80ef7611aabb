/**
 * The types of a wrapped OpenAI client.
 * @module
 */

/** A client as `withCache` gives it. */
export type Cached<Client> = Client
