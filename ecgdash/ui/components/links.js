// Opens links of our own tables within the session, so that choices survive.
// A link opened in a new tab, or by a modified click, stays an ordinary deep link.
export default function (component) {
  const { setTriggerValue } = component;
  const onClick = (event) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.composedPath().find((node) => node.classList && node.classList.contains("ed-open"));
    if (!link) return;
    event.preventDefault();
    setTriggerValue("opened", link.getAttribute("href"));
  };
  document.addEventListener("click", onClick);
  return () => document.removeEventListener("click", onClick);
}
