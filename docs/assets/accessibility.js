// Makes regions that scroll reachable with the keyboard, and gives each navigation a unique name.

const SCROLLING = ".md-typeset__scrollwrap, .md-typeset pre > code";
const NAVIGATIONS = "nav.md-nav, nav.md-path, nav.md-footer__inner, nav.md-code__nav";

function makeScrollingRegionsFocusable() {
  for (const region of document.querySelectorAll(SCROLLING)) {
    if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
    else region.removeAttribute("tabindex");
  }
}

function nameNavigations() {
  document.querySelectorAll(NAVIGATIONS).forEach((navigation, index) => {
    const heading = document.getElementById(navigation.getAttribute("aria-labelledby"));
    const name =
      navigation.getAttribute("aria-label") || heading?.textContent.trim() || "Navigation";
    navigation.removeAttribute("aria-labelledby");
    navigation.setAttribute("aria-label", `${name} (${index + 1})`);
  });
}

addEventListener("load", () => {
  makeScrollingRegionsFocusable();
  nameNavigations();
});
addEventListener("resize", makeScrollingRegionsFocusable);
