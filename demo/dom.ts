/** The page's element of this id. The page is ours, so a missing one is a mistake of ours. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`The page has no ${kind.name} with the id "${id}".`)
}

type Attributes = { readonly [name: string]: string }

/** A new element. What is text stays text: nothing here reads HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, label)
  made.addEventListener("click", onClick)
  return made
}

/** Touches the page only for a difference, so that a screen reader and a selection are left in peace. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

/** One item's place on the page, kept as long as the item is. */
export type Part<Item> = { readonly element: HTMLElement; update(item: Item): void }

/**
 * Shows a list of items, each in an element of its own that stays the same element while its item is there: focus and
 * half-typed input survive every change. Returns the way to show another list.
 */
export function keyedList<Item>(
  parent: HTMLElement,
  keyOf: (item: Item) => string,
  create: (item: Item) => Part<Item>,
): (items: readonly Item[]) => void {
  const parts = new Map<string, Part<Item>>()
  return (items) => {
    const wanted = new Set(items.map(keyOf))
    for (const [key, part] of parts) {
      if (wanted.has(key)) continue
      part.element.remove()
      parts.delete(key)
    }
    let place = parent.firstElementChild
    for (const item of items) {
      const part = parts.get(keyOf(item)) ?? create(item)
      parts.set(keyOf(item), part)
      part.update(item)
      if (part.element === place) place = place.nextElementSibling
      else parent.insertBefore(part.element, place)
    }
  }
}
