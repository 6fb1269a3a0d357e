// guests prices plugins: the one sample in every language, on twins that it does
// not match, against the same condition on expr's own machine, and against the Go
// SDK of Extism with the same source in C; what counting fuel costs; and how long a
// module runs that only its budget ends.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"time"
)

// A contender does its work once for a twin.
type contender struct {
	name string
	once func(twin int) error
	than int // the contender that it is compared with
}

// twins is how many different ones are judged.
const twins = 64

// slice is how long each contender works in a round.
const slice = 60 * time.Millisecond

func main() {
	sdk := flag.String("sdk", "../plugins/sdk", "folder of the SDKs, with the committed modules")
	goModule := flag.String("go", "", "module of the sample in Go, as plugin build makes it")
	rounds := flag.Int("rounds", 9, "rounds")
	flag.Parse()
	list, err := contenders(*sdk, *goModule)
	if err == nil {
		err = race(list, *rounds)
	}
	if err == nil {
		err = stops(*rounds)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func race(list []contender, rounds int) error {
	price, ratio := make([][]float64, len(list)), make([][]float64, len(list))
	for range rounds {
		for i, c := range list {
			ns, err := measure(c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			price[i] = append(price[i], ns)
		}
		for i, c := range list {
			ratio[i] = append(ratio[i], last(price[i])/last(price[c.than]))
		}
	}
	fmt.Fprintf(os.Stdout, "%d rounds; ns of the best, ratios are medians\n%-42s %12s %10s  than\n", rounds, "", "ns", "×")
	for i, c := range list {
		fmt.Printf("%-42s %12.0f %10.2f  %s\n", c.name, slices.Min(price[i]), median(ratio[i]), list[c.than].name)
	}
	return nil
}

// measure returns the nanoseconds of one turn.
func measure(c contender) (float64, error) {
	n := 0
	began := time.Now()
	for time.Since(began) < slice {
		for range twins {
			if err := c.once(n % twins); err != nil {
				return 0, err
			}
			n++
		}
	}
	return float64(time.Since(began).Nanoseconds()) / float64(n), nil
}

func last(list []float64) float64 { return list[len(list)-1] }

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
