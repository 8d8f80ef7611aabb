/**
 * What is known of the users: one item each, in a table of its own.
 * @module
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'

/** What an answer depends on, besides the question. */
export interface Profile {
  readonly goal: string
  readonly level: string
}

const unknown: Profile = { goal: 'to stay well', level: 'beginner' }
const TableName = process.env['PROFILES_TABLE']
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ maxAttempts: 2 }))

/** The profile of a user; that of a beginner if none was saved. */
export async function profileOf(user: string): Promise<Profile> {
  const { Item: item } = await documents.send(new GetCommand({ TableName, Key: { user } }))
  return item === undefined ? unknown : { goal: String(item['goal']), level: String(item['level']) }
}

/** Saves the profile of a user. */
export async function saveProfile(user: string, profile: Profile): Promise<void> {
  await documents.send(new PutCommand({ TableName, Item: { user, ...profile } }))
}
