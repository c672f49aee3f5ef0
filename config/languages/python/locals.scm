; Which names of a test file are its own; the captures are explained in docs/languages.md.

(identifier) @name
(attribute attribute: (identifier) @ignored)
(keyword_argument name: (identifier) @ignored)
(keyword_pattern . (identifier) @ignored)

(function_definition) @scope
(lambda) @scope
(list_comprehension) @scope
(set_comprehension) @scope
(dictionary_comprehension) @scope
(generator_expression) @scope
(class_definition) @scope.class

(function_definition name: (identifier) @definition.outer)
(class_definition name: (identifier) @definition.outer)

; A parameter can be the name of a fixture; then it stands for that.
(parameters (identifier) @definition.parameter)
(parameters (typed_parameter . (identifier) @definition.parameter))
(parameters (default_parameter name: (identifier) @definition))
(parameters (typed_default_parameter name: (identifier) @definition))
(parameters (list_splat_pattern (identifier) @definition))
(parameters (dictionary_splat_pattern (identifier) @definition))
(parameters (typed_parameter (list_splat_pattern (identifier) @definition)))
(parameters (typed_parameter (dictionary_splat_pattern (identifier) @definition)))
(lambda_parameters (identifier) @definition)
(lambda_parameters (default_parameter name: (identifier) @definition))
(lambda_parameters (list_splat_pattern (identifier) @definition))
(lambda_parameters (dictionary_splat_pattern (identifier) @definition))

; Fixtures are decorated. Where a call names one in a string, or a keyword has its name, nobody can tell what is meant.
(module (decorated_definition definition: (function_definition name: (identifier) @definition.injectable)))
(call arguments: (argument_list . (string (string_content) @mention.injectable)))
(call arguments: (argument_list . (list (string (string_content) @mention.injectable))))
(call arguments: (argument_list . (tuple (string (string_content) @mention.injectable))))
(keyword_argument name: (identifier) @mention.injectable)

(assignment left: (identifier) @definition)
(augmented_assignment left: (identifier) @definition)
(named_expression name: (identifier) @definition)
(for_statement left: (identifier) @definition)
(for_in_clause left: (identifier) @definition)
(as_pattern_target (identifier) @definition)
(pattern_list (identifier) @definition)
(tuple_pattern (identifier) @definition)
(list_pattern (identifier) @definition)
(list_splat_pattern (identifier) @definition)
(delete_statement (identifier) @definition)
(case_pattern (dotted_name . (identifier) @definition .))
(aliased_import alias: (identifier) @definition)
(import_statement name: (dotted_name . (identifier) @definition))
(import_from_statement name: (dotted_name . (identifier) @definition))
(import_from_statement module_name: (dotted_name (identifier) @ignored))
(import_from_statement module_name: (relative_import (dotted_name (identifier) @ignored)))
(aliased_import name: (dotted_name (identifier) @ignored))
(dotted_name (identifier) (identifier) @ignored)
(global_statement (identifier) @global)
