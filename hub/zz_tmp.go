package hub

// NewClientFromConnectionString placeholder until the branch is merged.
func NewClientFromConnectionString(s string, o *ClientOptions) (*Client, error) { panic("x") }
