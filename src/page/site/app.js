// Views behind the address's fragment, the theme, the key, and whether the server is there.
import {key, json, onKeyWanted} from './api.js';
import {h} from './dom.js';
import {chatView} from './chat.js';
import {figuresView} from './figures.js';
import {decisionsView} from './decisions.js';
import {thresholdsView} from './thresholds.js';
import {machineView} from './machine.js';

const views = {
  chat: ['Chat', chatView], figures: ['Figures', figuresView],
  decisions: ['Decisions', decisionsView], thresholds: ['Thresholds', thresholdsView],
  machine: ['Machine', machineView],
};
const made = {};
let shown = null;

function show(moveFocus) {
  const name = location.hash.slice(1);
  if (name === 'main') return;
  const wanted = views[name] ? name : 'chat';
  if (shown === wanted) return;
  if (shown) made[shown].leave?.();
  made[wanted] ??= views[wanted][1]();
  shown = wanted;
  const main = document.getElementById('main');
  main.replaceChildren(made[wanted].element);
  document.title = `${views[wanted][0]} · tinyArms`;
  for (const link of document.querySelectorAll('.tabs a')) {
    if (link.hash === `#${wanted}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  made[wanted].enter?.();
  if (moveFocus) main.focus({preventScroll: true});
}

// The theme: the system's, or what was chosen here.
const themes = ['auto', 'light', 'dark'];
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById('theme-button');
  button.textContent = {auto: '◐ Auto', light: '○ Light', dark: '● Dark'}[theme];
  button.setAttribute('aria-label', `Theme: ${theme}`);
  localStorage.setItem('tinyarms.theme', theme);
}
document.getElementById('theme-button').addEventListener('click', () => {
  const now = themes.indexOf(document.documentElement.dataset.theme);
  setTheme(themes[(now + 1) % themes.length]);
});
const stored = localStorage.getItem('tinyarms.theme');
setTheme(themes.includes(stored) ? stored : 'auto');

// The key.
const dialog = document.getElementById('key-dialog');
const input = document.getElementById('key-input');
const keyButton = document.getElementById('key-button');
function showKey() { keyButton.textContent = key.get() ? 'Key ✓' : 'Key'; }
let asking = null;
function askForKey(why) {
  asking ??= new Promise((resolve) => {
    document.getElementById('key-why').textContent = why;
    input.value = '';
    dialog.returnValue = '';
    dialog.showModal();
    input.focus();
    dialog.addEventListener('close', () => {
      asking = null;
      const given = dialog.returnValue === 'save' && input.value.trim() !== '';
      if (given) key.set(input.value.trim());
      input.value = '';
      showKey();
      resolve(given);
    }, {once: true});
  });
  return asking;
}
onKeyWanted(() => askForKey(
  (key.get() ? 'The server does not take this key. ' : 'This server asks for a key. ') +
  'It is kept in this tab only, and gone when the tab closes; `tinyarms keys add` makes one.'));
keyButton.addEventListener('click', () => askForKey(
  'Only needed where the server has keys. Kept in this tab only, and gone when the tab closes.'));
document.getElementById('key-forget').addEventListener('click', () => {
  key.set('');
  dialog.close('');
});
showKey();

// Whether the server is there, and how busy.
const status = document.getElementById('status');
function tell(kind, text, more) {
  if (status.dataset.text === kind + text) return;  // a live region speaks only of changes
  status.dataset.text = kind + text;
  status.className = `status ${kind}`;
  status.title = more ?? '';
  status.replaceChildren(h('span', {class: 'dot', 'aria-hidden': 'true'}), text);
}
async function look() {
  if (document.hidden) return;
  try {
    const ready = await json('/ready', {quiet: true});
    const busy = ready.running + ready.waiting;
    tell(busy ? 'busy' : 'fine',
         busy ? `${ready.running} running, ${ready.waiting} waiting` : 'ready',
         ready.notices?.join('\n'));
  } catch {
    tell('gone', 'not reachable');
  }
}
setInterval(look, 4000);
document.addEventListener('visibilitychange', look);
look();

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
  if (event.target.closest?.('input, textarea, select')) return;
  if (event.key === '/') {
    event.preventDefault();
    location.hash = '#chat';
    show(false);
    document.getElementById('question')?.focus();
  }
});
window.addEventListener('hashchange', () => show(true));
show(false);
