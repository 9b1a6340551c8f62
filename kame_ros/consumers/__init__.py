"""Those who follow a conversation: the door for a page, a recorder, a display of the face."""
