// A button with a text, alone.
import {explained} from "./explained.js"

/** @param {{model: Component<import("./explained.js").Explained>, el: HTMLElement}} args */
export function render({model, el}) {
  const {box, close} = explained(model)
  el.append(box)
  model.on("remove", close)
}
