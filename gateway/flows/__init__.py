"""Corridors: one file per path, named as its one public function. Only here are transactions opened and rooms joined."""
