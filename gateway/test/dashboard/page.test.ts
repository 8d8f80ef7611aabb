/**
 * The page in a real browser.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { isChromiumThere } from '../../../test/support/install-chromium.ts'
import { startBrowser } from '../support/browser.ts'
import { type BusyGateway, secret, startBusyGateway } from '../support/busy-gateway.ts'
import { guarded } from '../support/guarded.ts'
import { post } from '../support/requests.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Look {
  readonly width: number
  readonly colorScheme: 'light' | 'dark'
}

/** Waits until the page shows all. */
async function whole(page: Page): Promise<void> {
  await page.locator('#live[data-state=live]').waitFor()
  await page.locator('#page[aria-busy=false]').waitFor()
  await page.locator('#entries table').waitFor()
}

// The global set-up said loudly that chromium is missing.
describe.skipIf(!isChromiumThere())('the page', () => {
  let browser: Browser
  let busy: BusyGateway
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-page-'))

  beforeAll(async () => {
    browser = await startBrowser()
    busy = await startBusyGateway({ file: join(folder, 'answers.db'), days: 3 })
  })
  afterAll(async () => {
    await busy.close()
    await browser.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Opens the page, and fails the test for any error that the browser tells. */
  async function opened(url: string, { width, colorScheme }: Look = { width: 1_280, colorScheme: 'light' }): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: false })
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => {
      // A figure that a caller may not see is asked for, and refused; and one test takes the gateway away.
      if (message.type() === 'error' && !/status of 40[0-4]|ERR_FAILED/.test(message.text())) errors.push(message.text())
    })
    onTestFinished(async () => {
      await context.close()
      expect(errors).toEqual([])
    })
    await page.goto(url)
    return page
  }

  it.each<Look>([
    { width: 1_280, colorScheme: 'light' },
    { width: 1_280, colorScheme: 'dark' },
    { width: 390, colorScheme: 'light' },
    { width: 390, colorScheme: 'dark' },
  ])('has no fault that axe finds, and fits: $width $colorScheme', async (look) => {
    const page = await opened(busy.url, look)
    await whole(page)
    await page.getByText('Hit rate as a table').click()
    await page.getByLabel('Name').fill('docs:1')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.locator('#preview table').waitFor()
    const found: unknown = await page.evaluate(`${axe}; axe.run().then(({ violations, passes }) => ({
      violations: violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')),
      enough: passes.length > 20,
    }))`)
    expect(found).toEqual({ violations: [], enough: true })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(look.width)
  })

  it('shows figures, changes them after a hit, and shows no prompt and no answer', async () => {
    const page = await opened(busy.url)
    await whole(page)
    const hits = page.locator('#hits')
    const before = await hits.textContent()
    expect(before).toMatch(/^\d[\d,]* hits, \d+ misses$/)
    await busy.ask(0)
    await expect.poll(() => hits.textContent()).not.toBe(before)
    for (const name of ['acme', 'gpt-4o', 'support-answer', 'openai (upstream)', 'sqlite']) {
      expect(await page.getByRole('rowheader', { name, exact: true }).count()).toBe(1)
    }
    expect(await page.getByRole('img', { name: /^Hit rate: / }).count()).toBe(1)
    await page.locator('#range').selectOption('days')
    await page.getByText('Dollars saved as a table').click()
    await page.locator('#usd-plot tbody tr').nth(1).waitFor()
    expect(await page.content()).not.toContain(secret)
    // This machine's own user is the admin here, and may read.
    await page
      .getByRole('button', { name: /^Show the content/ })
      .first()
      .click()
    await expect.poll(() => page.locator('#entry-content').textContent()).toContain(secret)
  })

  it('is worked by the keyboard alone: search, preview, invalidate, explain', async () => {
    const { url, as } = await guarded()
    const acme = await as('acme', 'read', 'write')
    await post(`${url}/cache/store`, { prompt: secret, response: secret, operation: 'chat', tags: ['doc'] }, acme)
    await post(`${url}/cache/store`, { prompt: 'other', response: secret, operation: 'sums' }, acme)
    const page = await opened(url)
    // The field for the key has the focus.
    await page.locator('#key:focus').waitFor()
    await page.keyboard.type(acme['x-llmemo-api-key'] ?? '')
    await page.keyboard.press('Enter')
    await whole(page)
    await page.getByText('tenant acme').waitFor()
    expect(await page.locator('#by-model').textContent()).toContain('Only an admin')
    expect(await page.getByRole('button', { name: /^Show the content/ }).count()).toBe(0)

    await page.getByRole('searchbox').focus()
    await page.keyboard.type('sums')
    await page.keyboard.press('Enter')
    await page.getByText('1 entry', { exact: true }).waitFor()
    await page.getByLabel('Name').focus()
    await page.keyboard.type('doc')
    await page.keyboard.press('Enter')
    const confirm = page.getByRole('button', { name: 'Invalidate 1 entry' })
    await confirm.waitFor()
    for (let tabs = 0; tabs < 3 && !(await confirm.evaluate((each) => each === document.activeElement)); tabs++) {
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Enter')
    await page.getByText('Done: 1 entry outdated.').waitFor()
    await page.getByRole('searchbox').fill('')
    await page.keyboard.press('Enter')
    await page.getByText('1 entry', { exact: true }).waitFor()

    await page.getByLabel('Prompt', { exact: true }).fill('other')
    await page.getByLabel('Operation', { exact: true }).fill('sums')
    await page.keyboard.press('Enter')
    await page.getByText('It hits: the answer is fresh for').waitFor()
    await page.getByLabel('Second prompt').fill('another')
    await page.getByLabel('Operation', { exact: true }).press('Enter')
    await page.getByText('They have different keys.').waitFor()
    expect(await page.content()).not.toContain(secret)
  })

  it('says what is wrong: a key that is none, an empty cache, a gateway that went away', async () => {
    const { url, as } = await guarded()
    const page = await opened(url)
    await page.getByLabel('Key', { exact: true }).fill('llm_wrong')
    await page.keyboard.press('Enter')
    await page.getByText('This key is not valid').waitFor()
    await page.getByLabel('Key', { exact: true }).fill((await as(undefined, 'admin'))['x-llmemo-api-key'] ?? '')
    await page.keyboard.press('Enter')
    await page.getByText('The cache is empty.').waitFor()
    await page.getByText('no calls yet', { exact: true }).waitFor()
    await page.route('**/*', (route) => route.abort())
    await page.locator('#range').selectOption('days')
    await page.getByText('The gateway does not answer.').waitFor()
    await page.unrouteAll()
    await page.locator('#range').selectOption('minutes')
    await expect.poll(() => page.locator('#problem').isHidden()).toBe(true)
  })
})
