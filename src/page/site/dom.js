// Elements without a framework. Text goes in as text: nothing here ever parses markup.

function make(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, listener);
      }
    } else if (name === 'value' && 'value' in element) {
      element.value = value;
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined
                                                           && one !== false));
  return element;
}

export function h(tag, props, ...children) {
  return make(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return make(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

export const tiers = ['l0', 'l1', 'l2', 'l3', 'l4'];
export const tierNames = ['rules', 'memory', 'small model', 'large model', 'remote'];

export function badge(tier, more = '') {
  const index = tiers.indexOf(tier);
  return h('span', {class: `badge t${index < 0 ? 'x' : index} ${more}`},
           tier ? tier.toUpperCase() : 'none');
}

// Parts of a whole, side by side; `parts` are [class, amount, label].
export function stack(parts, label) {
  const whole = parts.reduce((sum, [, amount]) => sum + amount, 0);
  const bar = svg('svg', {class: 'stack', role: 'img', 'aria-label': label});
  let at = 0;
  for (const [name, amount, text] of parts) {
    if (!(amount > 0)) continue;
    const width = 100 * amount / whole;
    bar.append(svg('rect', {class: name, x: `${at}%`, width: `${width}%`, height: '100%'},
                   svg('title', {}, `${text}: ${amount}`)));
    at += width;
  }
  return bar;
}

export function seconds(value) {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  if (size < 0.001) return `${(value * 1e6).toFixed(0)} µs`;
  if (size < 1) return `${(value * 1e3).toFixed(size < 0.01 ? 1 : 0)} ms`;
  if (size < 120) return `${value.toFixed(size < 10 ? 2 : 1)} s`;
  if (size < 7200) return `${(value / 60).toFixed(0)} min`;
  return `${(value / 3600).toFixed(1)} h`;
}

export function percent(value, digits = 0) {
  return value === null || value === undefined ? '–' : `${(100 * value).toFixed(digits)} %`;
}

export function bytes(value) {
  if (value === null || value === undefined) return '–';
  if (value < 1e6) return `${(value / 1e3).toFixed(0)} kB`;
  if (value < 1e9) return `${(value / 1e6).toFixed(0)} MB`;
  return `${(value / 1e9).toFixed(1)} GB`;
}

export function number(value, digits = 2) {
  return value === null || value === undefined ? '–' : value.toFixed(digits);
}

export function count(value) {
  return value === null || value === undefined ? '–' : value.toLocaleString('en');
}

export function clock(wallSeconds) {
  return new Date(wallSeconds * 1000).toLocaleTimeString('en-GB');
}
