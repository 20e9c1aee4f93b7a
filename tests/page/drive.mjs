// Drives the page in a real Chromium. usage: drive.mjs BROWSER_FOLDER URL KEYED_URL KEY SHOTS
// Prints one JSON object: what was seen, by the name of the step. check_page.py judges it.
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

const [folder, url, keyedUrl, key, shots] = process.argv.slice(2);
const load = createRequire(path.join(folder, 'package.json'));
const puppeteer = load('puppeteer-core');
const axe = fs.readFileSync(load.resolve('axe-core/axe.min.js'), 'utf8');
const views = ['chat', 'figures', 'decisions', 'thresholds', 'machine'];
const seen = {console: [], errors: [], foreign: [], axe: [], overflow: [], shots: []};
const patience = 120000;

const browser = await puppeteer.launch({
  executablePath: path.join(folder, 'bin', 'chromium'), headless: 'shell',
  userDataDir: path.join(shots, 'profile'),
  env: {...process.env, HOME: shots},
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});

async function open(base) {
  const page = await browser.newPage();
  page.setDefaultTimeout(patience);
  // What the network panel says of a status is the test's own doing, and is looked at elsewhere.
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      seen.console.push(message.text());
    }
  });
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(base)) seen.foreign.push(request.url());
  });
  await page.setViewport({width: 1440, height: 900});
  return page;
}

async function look(page, name, scheme) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await globalThis.axe.run()).violations.map(
    (one) => `${one.impact} ${one.id}: ${one.nodes[0].html.slice(0, 120)}`));
  seen.axe.push(...found.map((text) => `${name} ${scheme}: ${text}`));
  const file = path.join(shots, `${name}-${scheme}.png`);
  await page.screenshot({path: file});
  seen.shots.push([`${name}-${scheme}`, fs.statSync(file).size]);
}

const answers = (page) => page.$$eval('.answer', (all) => all.length);
async function settled(page, count) {
  await page.waitForFunction((n) => document.querySelectorAll('.answer').length >= n &&
    document.querySelector('.turns').getAttribute('aria-busy') === 'false', {}, count);
}
const text = (page, selector) => page.$eval(selector, (one) => one.textContent);
const click = (page, scope, words) => page.$$eval(`${scope} button`, (all, wanted) => {
  all.find((one) => one.textContent.includes(wanted)).click();
}, words);

async function ask(page, question) {
  const before = await answers(page);
  await page.type('#question', question);
  await page.keyboard.press('Enter');
  await settled(page, before + 1);
}

const page = await open(url);
try {
  const response = await page.goto(`${url}/`, {waitUntil: 'networkidle0'});
  seen.policy = response.headers()['content-security-policy'];
  seen.title = await page.title();
  // Inline script is not run, whoever puts it there.
  seen.inline = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.inline = true';
    document.body.append(script);
    return globalThis.inline === true;
  });
  seen.console.length = 0;  // the browser's word about that
  await look(page, 'welcome', 'light');

  // By keyboard alone: "/" goes to the question, Enter sends.
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('/');
  seen.focused = await page.evaluate(() => document.activeElement.id);
  await ask(page, 'What is 0xff in decimal?');
  seen.rule = {body: await text(page, '.answer .body'), strip: await text(page, '.answer .strip'),
               side: await text(page, '.side')};

  // A model, streamed: the text grows.
  await page.select('#model', 'l2');
  await page.type('#limit', '12');
  await page.evaluate(() => {
    globalThis.sizes = [];
    new MutationObserver(() => {
      const body = [...document.querySelectorAll('.answer .body')].at(-1);
      if (body && !body.querySelector('.waiting')) sizes.push(body.textContent.length);
    }).observe(document.querySelector('.turns'), {childList: true, subtree: true});
  });
  await ask(page, 'Name a colour');
  seen.stream = {sizes: await page.evaluate(() => [...new Set(sizes)]),
                 heat: await page.$$eval('.heat i', (all) => all.length),
                 side: await text(page, '.side')};
  await look(page, 'chat', 'light');

  // Override: the same question to L2 alone, which a rule answered above.
  await page.$$eval('.answer .strip button', (all) => all[0].click());
  await page.select('.side select', 'l2');
  await click(page, '.side', 'Resend');
  await settled(page, 3);
  seen.override = {inFirstTurn: await page.$$eval('.turn', (all) =>
                     all[0].querySelectorAll('.answer').length),
                   path: await page.$eval('.turn .answer:last-child .path',
                                          (one) => one.getAttribute('aria-label'))};
  await click(page, '.side', 'Wrong');
  await page.waitForFunction(() => document.querySelector('.side').textContent.includes('noted'));

  // Nobody there to answer.
  await page.select('.side select', 'l3');
  await click(page, '.side', 'Resend');
  await settled(page, 4);
  seen.error = {alert: await text(page, '.answer [role=alert]'),
                again: await page.$$eval('.answer .strip button',
                  (all) => all.some((one) => one.textContent === 'Try again'))};
  await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: 'dark'}]);
  await look(page, 'error', 'dark');

  for (const view of views.slice(1)) {
    await page.evaluate((name) => { location.hash = name; }, view);
    await page.waitForNetworkIdle({idleTime: 300});
    await look(page, view, 'dark');
    seen[view] = await text(page, 'main');
  }
  await page.evaluate(() => { location.hash = 'thresholds'; });
  await page.waitForSelector('#slider-l2');
  await page.$eval('#slider-l2', (slider) => {
    slider.value = '0.05';
    slider.dispatchEvent(new Event('input', {bubbles: true}));
  });
  await page.waitForNetworkIdle({idleTime: 400});
  seen.whatIf = await text(page, 'main');

  await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: 'light'}]);
  await page.setViewport({width: 390, height: 844});
  for (const view of views) {
    await page.evaluate((name) => { location.hash = name; }, view);
    await page.waitForNetworkIdle({idleTime: 300});
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) {
      seen.overflow.push(view);
    }
    await look(page, `narrow-${view}`, 'light');
  }

  // A server that asks for a key.
  const keyed = await open(keyedUrl);
  await keyed.goto(`${keyedUrl}/`);
  const opened = () => keyed.waitForFunction(() => document.getElementById('key-dialog').open);
  await opened();
  await look(keyed, 'key', 'light');
  await keyed.type('#key-input', 'sk-wrong');
  await keyed.keyboard.press('Enter');
  await keyed.waitForFunction(() => !document.getElementById('key-dialog').open);
  await keyed.type('#question', 'What is 0xff in decimal?');
  await keyed.keyboard.press('Enter');
  await opened();
  const why = await text(keyed, '#key-why');
  await keyed.type('#key-input', key);
  await keyed.keyboard.press('Enter');
  await settled(keyed, 1);
  seen.keyed = {why, body: await text(keyed, '.answer .body'),
                session: await keyed.evaluate(() => Object.values(sessionStorage)),
                local: await keyed.evaluate(() => JSON.stringify(localStorage)),
                cookies: await keyed.evaluate(() => document.cookie),
                address: keyed.url(), page: await keyed.content()};
  await keyed.evaluate(() => { location.hash = 'decisions'; });
  await keyed.waitForNetworkIdle({idleTime: 300});
  seen.keyed.decisions = await text(keyed, 'main');
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
