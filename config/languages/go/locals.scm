; Which names of a test file are its own; the captures are explained in docs/languages.md.
; No scopes are opened: a name is the same thing throughout a file, which is safe where no caller names parameters.

(identifier) @name
(type_identifier) @name
(package_identifier) @name
(package_clause (package_identifier) @ignored)

; A key of a literal is a field or a value, and an embedded type is a field, too.
(keyed_element . (literal_element (identifier) @pinned))
(field_declaration !name type: (type_identifier) @pinned)

(short_var_declaration left: (expression_list (identifier) @definition))
(range_clause left: (expression_list (identifier) @definition))
(receive_statement left: (expression_list (identifier) @definition))
(type_switch_statement alias: (expression_list (identifier) @definition))
(parameter_declaration name: (identifier) @definition)
(variadic_parameter_declaration name: (identifier) @definition)
(var_spec name: (identifier) @definition)
(const_spec name: (identifier) @definition)
(type_spec name: (type_identifier) @definition)
(type_alias name: (type_identifier) @definition)
(type_parameter_declaration name: (identifier) @definition)
(function_declaration name: (identifier) @definition)
