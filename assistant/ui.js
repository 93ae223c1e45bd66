// What Gradio does not do: the reader beside the conversation, and input methods.
() => {
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

  // What a source's number tells: while it, or what it tells, is pointed at, or has the focus; on a touch screen the
  // first touch tells and the second opens. Escape puts it away (WCAG 1.4.13).
  const LEAVE_MS = 250, GAP_PX = 8;
  let told = null, leaving = 0;
  const about = () => document.querySelector("#about");
  const hush = () => {
    clearTimeout(leaving);
    told?.removeAttribute("aria-describedby");
    if (told) about()?.hidePopover();
    told = null;
  };
  const tell = (chip) => {
    clearTimeout(leaving);
    const box = about(), content = chip.nextElementSibling;
    if (chip === told || !box || !(content instanceof HTMLTemplateElement)) return;
    hush();
    box.replaceChildren(content.content.cloneNode(true));
    box.showPopover();
    const at = chip.getBoundingClientRect(), size = box.getBoundingClientRect();
    const below = at.bottom + GAP_PX + size.height <= innerHeight || at.top < size.height + GAP_PX;
    box.style.top = `${below ? at.bottom + GAP_PX : at.top - GAP_PX - size.height}px`;
    box.style.left = `${Math.max(GAP_PX, Math.min(at.left, innerWidth - size.width - GAP_PX))}px`;
    chip.setAttribute("aria-describedby", "about");
    told = chip;
  };
  const chipOf = (event) => event.target instanceof Element ? event.target.closest("#talk a.chip") : null;
  document.addEventListener("pointerover", (event) => {
    const chip = event.pointerType === "touch" ? null : chipOf(event);
    if (chip) tell(chip);
    else if (about()?.contains(event.target)) clearTimeout(leaving);
    else if (told && event.pointerType !== "touch" && document.activeElement !== told) {
      clearTimeout(leaving);
      leaving = setTimeout(hush, LEAVE_MS);
    }
  });
  document.addEventListener("focusin", (event) => {
    const chip = chipOf(event);
    if (!chip) return told && !about()?.contains(event.target) && hush();
    if (chip.matches(":focus-visible")) tell(chip);
  });
  document.addEventListener("scroll", (event) => { if (event.target !== about()) hush(); }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !told) return;
    event.stopImmediatePropagation();
    hush();
  }, true);
  document.addEventListener("click", (event) => {
    const chip = chipOf(event);
    if (chip && chip !== told && event.pointerType === "touch") {
      event.preventDefault();
      event.stopImmediatePropagation();
      return tell(chip);
    }
    if (!about()?.contains(event.target)) hush();
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
