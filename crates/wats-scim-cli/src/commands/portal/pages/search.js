// Searches while one types. Without it, the button of the form does the same.
const form = document.querySelector("form[role=search]");
const count = document.getElementById("count");
let timer;
let current;

async function search() {
  current?.abort();
  current = new AbortController();
  const { signal } = current;
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, { method: "POST", body, signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const results = page.getElementById("results");
    // Signed out meanwhile, or a problem: that is a page of its own.
    if (!results) return form.submit();
    document.getElementById("results").replaceChildren(...results.childNodes);
    count.textContent = page.getElementById("count").textContent;
    history.replaceState(null, "", response.url);
  } catch (error) {
    if (error.name !== "AbortError") count.textContent = "The search failed. Press Enter to try again.";
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, 250);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  search();
});
