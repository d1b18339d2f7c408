// The inbox by keys: j and k move, o opens, x chooses, / searches, ? shows them all.

const rows = [...document.querySelectorAll('tr[data-href]')];
const dialog = document.querySelector('dialog#keys');
let at = -1;

const move = (to) => {
  if (!rows.length) return;
  rows[at]?.removeAttribute('aria-current');
  at = Math.max(0, Math.min(rows.length - 1, to));
  const row = rows[at];
  row.setAttribute('aria-current', 'true');
  row.querySelector('a')?.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
};

const keys = {
  j: () => move(at + 1),
  k: () => move(at - 1),
  o: () => rows[at] && location.assign(rows[at].dataset.href),
  x: () => rows[at]?.querySelector('input[type="checkbox"]')?.click(),
  '/': () => document.querySelector('input[name="q"]')?.focus(),
  '?': () => dialog?.showModal(),
};

addEventListener('keydown', (event) => {
  const typing = event.target.closest('input:not([type="checkbox"]), select, textarea, dialog');
  if (typing || event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});

document.querySelector('[data-shows-keys]')?.addEventListener('click', () => dialog?.showModal());

// One box chooses all.
const all = document.querySelector('input[data-chooses-all]');
all?.addEventListener('change', () => {
  for (const box of document.querySelectorAll('input[name="ticket"]')) box.checked = all.checked;
});
