/**
 * Runs the tests over Redis on other servers: Valkey 8 and Redis 8, as Debian packages them. The packages and all that they need are unpacked
 * below `node_modules/.cache`, and nothing is installed. Needs a Debian, whose own mirror is used.
 *
 *     npm run test:redis            # both
 *     npm run test:redis -- valkey  # one of them
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const top = join(import.meta.dirname, '..')

/** The release of Debian that has both in their version 8. */
const release = 'trixie'

/** The tests that are run on each. */
const tests = ['test/stores/redis', 'test/faults/redis.test.ts']

const servers = ['valkey', 'redis']

/** The Debian mirror of this machine. */
function mirror(): string {
  const targets = execFileSync('apt-get', ['indextargets', '--format', '$(ORIGIN) $(SITE)', 'Created-By: Packages'], { encoding: 'utf8' })
  const [, site] = /^Debian (\S+\/debian)\/?$/m.exec(targets) ?? []
  if (site === undefined) throw new Error('This needs a Debian: its apt-get knows no mirror of one. Any container of Debian will do.')
  return site
}

/** Unpacks a server with all that it needs, the C library too. @returns a program that runs it */
function unpacked(name: string): string {
  const folder = join(top, 'node_modules/.cache/redis-servers', name)
  const root = join(folder, 'root')
  rmSync(folder, { recursive: true, force: true })
  for (const each of ['lists/partial', 'cache/archives/partial', 'root']) mkdirSync(join(folder, each), { recursive: true })
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg'
  writeFileSync(join(folder, 'sources.list'), `deb [signed-by=${keys}] ${mirror()} ${release} main\n`)
  // As if nothing were installed: the packages must not depend on what this machine has.
  writeFileSync(join(folder, 'status'), '')
  const settings = {
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Debug::NoLocking': '1',
    'APT::Install-Recommends': '0',
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  execFileSync('apt-get', [...options, '-qq', 'update'], { stdio: 'inherit' })
  execFileSync('apt-get', [...options, '-qq', '-y', '--download-only', 'install', `${name}-server`], { stdio: 'inherit' })
  for (const archive of globSync('cache/archives/*.deb', { cwd: folder })) execFileSync('dpkg-deb', ['-x', join(folder, archive), root])
  const [loader] = globSync('usr/lib*/ld-linux-*.so.*', { cwd: root }).concat(
    globSync('usr/lib/*-linux-gnu/ld-linux-*.so.*', { cwd: root }),
  )
  const libraries = globSync('usr/lib/*-linux-gnu', { cwd: root }).map((each) => join(root, each))
  if (loader === undefined) throw new Error(`The packages of ${name} have no loader of programs in ${root}`)
  const program = join(folder, `${name}-server`)
  const command = [join(root, loader), '--library-path', libraries.join(':'), join(root, `usr/bin/${name}-server`)]
  writeFileSync(program, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')} "$@"\n`)
  chmodSync(program, 0o755)
  return program
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !servers.includes(name))
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. The servers are ${servers.join(' and ')}.`)
  process.exit(2)
}
for (const name of wanted.length > 0 ? wanted : servers) {
  const program = unpacked(name)
  console.log(execFileSync(program, ['--version'], { encoding: 'utf8' }).trim())
  const env = { ...process.env, LLMEMO_REDIS_SERVER: program }
  const { status } = spawnSync(process.execPath, [join(top, 'node_modules/vitest/vitest.mjs'), 'run', ...tests], {
    cwd: top,
    stdio: 'inherit',
    env,
  })
  if (status !== 0) process.exit(1)
}
