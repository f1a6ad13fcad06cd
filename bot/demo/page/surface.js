// The ground that blocks stand on: a message, a dialog or the Home tab. It keeps what is entered and sends clicks.
import { post, state, ui } from "./store.js";

// `where` names the surface for the server: { channel, ts } or { view_id }.
export function surfaceFor(where, kind, entered) {
  return {
    kind,
    me: state.me,
    channels: state.channels.filter((channel) => channel.kind !== "im"),
    users: Object.values(state.users).filter((user) => !user.bot),
    currentChannel: ui.channel,
    setState(blockId, actionId, value) {
      (entered[blockId] ||= {})[actionId] = value;
    },
    onAction(blockId, element, chosen) {
      return post("block_action", { ...where, block_id: blockId, action_id: element.action_id, chosen, state: entered });
    },
  };
}
