package plugin

// A Judge looks at one twin, adds what it finds to a and reports whether the twin
// matches. An error says that it cannot tell.
type Judge func(in Input, a *Answer) (match bool, err error)

// A Configure reads a rule's configuration, an object, and returns the judge for
// it, or says what is wrong with it.
type Configure func(config Value) (Judge, error)

// An Input is a twin at a moment.
type Input struct {
	Now int64 // milliseconds since 1970
	// Twin has the members that rules have: id, tags, desired, reported and so on,
	// or those that the manifest declares to read.
	Twin Value
}

// Main registers configure as the plugin. The variable it is assigned to serves
// no other purpose: a library's main function is never called.
func Main(configure Configure) struct{} {
	guest.configure = configure
	return struct{}{}
}

// guest is the plugin of this module. The exports have nowhere else to find it.
var guest struct {
	configure     Configure
	judge         Judge
	input, output []byte
}

// Run does for a test what the host does: it configures the plugin with the JSON
// text config and returns its answer to input, an abi.Input; "" is no match.
func Run(configure Configure, config, input string) (string, error) {
	judge, err := configure(ParseValue([]byte(config)))
	if err != nil {
		return "", err
	}
	out, err := answer(judge, []byte(input))
	return string(out), err
}

// answer returns what judge says, nil when it does not match.
func answer(judge Judge, message []byte) ([]byte, error) {
	root := ParseValue(message)
	now, _ := root.Get("now").Int()
	var a Answer
	match, err := judge(Input{Now: now, Twin: root.Get("twin")}, &a)
	if err != nil || !match {
		return nil, err
	}
	return a.append(nil), nil
}

// appendError writes err as the host wants it.
func appendError(b []byte, err error) []byte {
	b = appendString(append(b, `{"error":{"message":`...), err.Error())
	return append(b, '}', '}')
}
