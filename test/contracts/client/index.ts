/**
 * The contract of every wrapped client: one suite over real sockets that the tests of each SDK call.
 * @module
 */
import { describe } from 'vitest'
import { describeAborts } from './aborts.ts'
import { describeAnswers, describeAnswersOfBothModes } from './answers.ts'
import { describeErrors } from './errors.ts'
import { clientFixture, modeOf } from './fixture.ts'
import { describeFlights, describeFlightsOfBothModes } from './flights.ts'
import { describeModes } from './modes.ts'
import { describeOptions } from './options.ts'
import { describeOwnership } from './ownership.ts'
import { describeStoring } from './storing.ts'
import { describeStreams } from './streams.ts'
import type { ClientUnderTest } from './under-test.ts'

/** Declares the suite for the client that `setup` makes. */
export function describeClient<Client extends object>(name: string, setup: ClientUnderTest<Client>): void {
  describe(`${name} as a cached client`, () => {
    const fixture = clientFixture(setup)
    describe.each([
      ['whole', false],
      ['streamed', true],
    ])('%s', (_, streamed) => {
      const mode = modeOf(fixture, streamed)
      describeAnswers(fixture, mode)
      describeFlights(fixture, mode)
      describeAborts(fixture, mode)
      describeErrors(fixture, mode)
      describeStoring(fixture, mode)
    })
    describeStreams(fixture)
    describeFlightsOfBothModes(fixture)
    describeAnswersOfBothModes(fixture)
    describeModes(fixture)
    describeOptions(fixture)
    describeOwnership(fixture)
  })
}
