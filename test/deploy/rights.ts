/**
 * What the statements of a policy allow, by one rule for all tools that write policies.
 * @module
 */

/** A statement that allows something. */
export interface Statement {
  readonly actions: readonly string[]
  readonly resources: readonly string[]
}

/** What a store in DynamoDB asks for. Without one of these, entries cannot be read, written or removed. */
export const storeActions = [
  'dynamodb:GetItem',
  'dynamodb:BatchGetItem',
  'dynamodb:PutItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
]

/** The streams of one group of logs have names that are not known before. */
const streamsOfOneGroup = /^\$\{[\w.]*log[\w.]*\.arn\}:\*$|"Fn::GetAtt":\["\w*Log\w*","Arn"\]\},":\*"/i

/** What the statements allow beyond what they should: a wildcard, or to read a whole table. */
export function tooMuch(name: string, statements: readonly Statement[]): string[] {
  const actions = statements.flatMap((statement) => statement.actions)
  const places = statements.flatMap((statement) => statement.resources).filter((place) => !streamsOfOneGroup.test(place))
  return [
    ...actions.filter((action) => /\*|Scan/.test(action)).map((action) => `${name}: may ${action}`),
    ...places.filter((place) => place.includes('*')).map((place) => `${name}: may do so to ${place}`),
  ]
}

/** What a function with a table may not do, though its store asks for it. */
export function tooLittle(name: string, statements: readonly Statement[]): string[] {
  const actions = new Set(statements.flatMap((statement) => statement.actions))
  return storeActions.filter((action) => !actions.has(action)).map((action) => `${name}: may not ${action}`)
}
