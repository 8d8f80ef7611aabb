/**
 * The command `llmemo-gateway keys`: makes, lists and revokes API keys.
 * @module
 */
import { parseArgs } from 'node:util'
import { type Clock, LlmemoError, type Store } from 'llmemo'
import type { Role } from '../caller.ts'
import { GatewayError } from '../errors.ts'
import { KeyRing, type KeyRecord } from './key-ring.ts'

/** What the command works with. */
export interface KeysCommand {
  readonly store: Store
  readonly clock: Clock
  /** Takes what programs read: the key, or JSON. */
  readonly out: (text: string) => void
  /** Takes what people read. */
  readonly tell: (text: string) => void
}

const usage = `Usage: llmemo-gateway keys create --role <role> [--role <role>] [--tenant <name>] [--expires <days>d] [--rate <number>/<s|m|h|d>]
       llmemo-gateway keys list [--json]
       llmemo-gateway keys revoke <id>

  roles: read, write, admin. A key without a tenant must have the role admin.
  Keys lie, as digests, in the store that CACHE_STORE names.
`

/** Runs one command. @returns the exit code: 1 if nothing was found, 2 for wrong usage */
export async function keysCommand(words: readonly string[], command: KeysCommand): Promise<number> {
  const ring = new KeyRing(command.store, command.clock)
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        role: { type: 'string', multiple: true },
        tenant: { type: 'string' },
        expires: { type: 'string' },
        rate: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
    const [verb, id, ...others] = positionals
    if (verb === 'create' && id === undefined) {
      const { role = [], tenant, rate, expires } = values
      const { key, record } = await ring.create({
        roles: role.map(roleOf),
        ...(tenant !== undefined && { tenant }),
        ...(rate !== undefined && { rate }),
        ...(expires !== undefined && { validFor: millisecondsIn(expires) }),
      })
      command.tell(`Key ${record.id} was made. It is shown only now:\n`)
      command.out(`${key}\n`)
      return 0
    }
    if (verb === 'list' && id === undefined) {
      const records = await ring.list()
      if (values.json === true) command.out(`${JSON.stringify(records.map(({ digest: _digest, ...told }) => told))}\n`)
      else for (const record of records) command.out(`${lineOf(record)}\n`)
      return 0
    }
    if (verb === 'revoke' && id !== undefined && others.length === 0) {
      const isRevoked = await ring.revoke(id)
      command.tell(
        isRevoked ? `Key ${id} is revoked. Gateways that have just used it take it for up to 10 seconds.\n` : 'There is no such key.\n',
      )
      return isRevoked ? 0 : 1
    }
    command.tell(usage)
    return 2
  } catch (error) {
    // Other messages are those of Node.js about the flags, and may hold what was typed.
    command.tell(error instanceof GatewayError || error instanceof LlmemoError ? `${error.message}\n` : usage)
    return 2
  }
}

function roleOf(text: string): Role {
  if (text === 'read' || text === 'write' || text === 'admin') return text
  throw new GatewayError('KEY_STORE', 'a role is read, write or admin.')
}

function millisecondsIn(text: string): number {
  const days = /^([1-9]\d{0,3})d$/.exec(text)?.[1]
  if (days === undefined) throw new GatewayError('KEY_STORE', '--expires must be a number of days such as 90d.')
  return Number(days) * 86_400_000
}

function lineOf({ id, roles, tenant = '(all)', rate = '-', expiresAt }: KeyRecord): string {
  const expires = expiresAt === undefined ? 'never' : new Date(expiresAt).toISOString().slice(0, 10)
  return [id, tenant, roles.join(','), `rate ${rate}`, `expires ${expires}`].join('  ')
}
