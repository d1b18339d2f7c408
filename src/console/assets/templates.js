// A template goes into its field without loading the page anew, behind what stands there.

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-template]');
  const field = link && document.getElementById(link.dataset.for);
  if (!field) return;
  event.preventDefault();
  const before = field.value.trim();
  field.value = before ? `${before}\n${link.dataset.template}` : link.dataset.template;
  field.focus();
});
