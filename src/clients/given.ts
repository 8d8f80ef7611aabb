/**
 * A base of classes that put private members on objects of others.
 * @module
 */
/* oxlint-disable typescript/no-extraneous-class -- it is needed as a base */

/** A class whose `new` gives the object itself, so that a subclass puts its private members on it. */
export class Given {
  constructor(object: object) {
    // oxlint-disable-next-line no-constructor-return -- this is what the class is for
    return object
  }
}
