package hubtest

// statisticsCases are about counts, which lag by minutes: none looks at the numbers.
var statisticsCases = []*Case{
	{
		Name:  "devices are counted",
		About: "Statistics_GetDeviceStatistics", Evidence: "REC; LIVE: it lags",
		Run: func(t *T) {
			got, err := t.Client.NewRegistryClient().GetRegistryStatistics(t.Context(), nil)
			t.ok(err)
			if got.Total < int64(len(t.Devices)) || got.Total != got.Enabled+got.Disabled {
				t.Errorf("got %+v", got)
			}
		},
	},
	{
		Name:  "connections are counted",
		About: "Statistics_GetServiceStatistics", Evidence: "REC; LIVE: it lags",
		Run: func(t *T) {
			got, err := t.Client.NewRegistryClient().GetServiceStatistics(t.Context(), nil)
			t.ok(err)
			if got.Connected < 0 {
				t.Errorf("got %+v", got)
			}
		},
	},
}
