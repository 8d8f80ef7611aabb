/**
 * `npm run pictures -w gateway`: takes the pictures of the page that lie in gateway/docs, with the built gateway at work.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBrowser } from '../support/browser.ts'
import { startBusyGateway } from '../support/busy-gateway.ts'

const folder = mkdtempSync(join(tmpdir(), 'llmemo-pictures-'))
const gateway = await startBusyGateway({ file: join(folder, 'answers.db'), days: 30 })
const browser = await startBrowser()
for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1_280, 390]) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, deviceScaleFactor: 1 })
    await page.goto(gateway.url)
    await page.locator('#live[data-state=live]').waitFor()
    await page.locator('#usd-plot svg').waitFor()
    await page.locator('#entries table').waitFor()
    if (width > 1_000) {
      await page.getByLabel('Name').fill('docs:1')
      await page.getByRole('button', { name: 'Preview' }).click()
      await page.locator('#preview table').waitFor()
      await page.getByLabel('Prompt', { exact: true }).fill('What is a cache?')
      await page.getByLabel('Second prompt').fill('What is a cache ?')
      await page.getByRole('button', { name: 'Explain' }).click()
      await page.locator('#explanation p').first().waitFor()
      await page.evaluate(() => (document.activeElement instanceof HTMLElement ? document.activeElement.blur() : undefined))
      await page.evaluate(() => window.scrollTo(0, 0))
    }
    await page.waitForTimeout(600)
    const path = new URL(`../../docs/dashboard-${width}-${colorScheme}.png`, import.meta.url).pathname
    await page.screenshot({ path, fullPage: width > 1_000 })
    console.log(path)
    await page.close()
  }
}
await browser.close()
await gateway.close()
rmSync(folder, { recursive: true, force: true })
