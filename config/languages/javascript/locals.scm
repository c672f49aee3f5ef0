; Which names of a test file are its own; the captures are explained in docs/languages.md.
; No scopes are opened: parts get blocks of their own where names meet, so it is enough to know what is defined somewhere.

(identifier) @name
(shorthand_property_identifier) @name

(variable_declarator name: (identifier) @definition)
(function_declaration name: (identifier) @definition)
(generator_function_declaration name: (identifier) @definition)
(class_declaration name: (identifier) @definition)
(formal_parameters (identifier) @definition)
(arrow_function parameter: (identifier) @definition)
(catch_clause parameter: (identifier) @definition)
(for_in_statement left: (identifier) @definition)
(shorthand_property_identifier_pattern) @definition
(pair_pattern value: (identifier) @definition)
(array_pattern (identifier) @definition)
(rest_pattern (identifier) @definition)
(assignment_pattern left: (identifier) @definition)
