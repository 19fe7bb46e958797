"""Source text in a language of pages → PDF: by Typst, by a TeX engine, by a browser. Knows no documents.

Every engine works in an empty folder of its own, reads no file from outside it but fonts, starts no other program and
has a time limit. The bytes depend on the source, the engine and its fonts alone: there is no date in them.
"""
