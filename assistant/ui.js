// What Gradio does not do: the reader beside the conversation, input methods, and the page's language.
() => {
  document.documentElement.lang = "zh-CN";

  // Enter that only confirms a candidate of a Chinese input method must not send the question.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.stopPropagation();
  }, true);

  let opener = null;
  window.closeReader = () => {
    if (!document.body.classList.contains("reading")) return;
    document.body.classList.remove("reading");
    opener?.focus();
  };
  const onEscape = (event) => { if (event.key === "Escape") window.closeReader(); };
  document.addEventListener("keydown", onEscape);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#close-reader")) return window.closeReader();
    const link = event.target.closest('a[target="document"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    opener = link;
    document.querySelectorAll(".open").forEach((other) => other.classList.remove("open"));
    link.classList.add("open");
    document.body.classList.add("reading");
  });
  document.addEventListener("load", (event) => {  // an iframe's load does not bubble, but is captured
    if (event.target.name !== "document" || !document.body.classList.contains("reading")) return;
    event.target.contentWindow.addEventListener("keydown", onEscape);
    event.target.contentWindow.focus();
  }, true);

  // A list and what was opened from it.
  let list = null;
  window.showOpened = (place, tries = 20) => {
    const opened = document.querySelector(place);
    if (!opened) return tries && setTimeout(() => window.showOpened(place, tries - 1), 100);
    list = document.querySelector('[data-open][aria-current="true"]');
    opened.focus({ preventScroll: true });
    opened.scrollIntoView({ block: "start" });
  };
  window.backToList = () => list?.isConnected && list.focus();

  // Keep the newest question in view while its answer grows.
  const follow = () => document.querySelector("#talk .exchange:last-of-type")?.scrollIntoView({ block: "start" });
  const wait = setInterval(() => {
    const talk = document.querySelector("#talk");
    if (talk || document.querySelector("#tabs, #replying")) clearInterval(wait);
    if (!talk) return;
    new MutationObserver(follow).observe(talk, { childList: true, subtree: true });
  }, 100);
}
