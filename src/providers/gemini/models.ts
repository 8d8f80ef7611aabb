/**
 * The names of Gemini's models.
 * @module
 */

/** A model's name as it is keyed: without `models/`, which a body may put before it. */
export function modelName(name: unknown): unknown {
  return typeof name === 'string' && name.startsWith('models/') ? name.slice('models/'.length) : name
}
