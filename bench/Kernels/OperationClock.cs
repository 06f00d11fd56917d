using System.Globalization;
using LServe.Cuda.Driver;

namespace LServe.Bench.Kernels;

/// <summary>Device time of a step's operations, by name: events behind each, so that none overlaps the next while they are taken.</summary>
internal sealed class OperationClock : IDisposable
{
    private readonly List<(string Name, CudaEvent Event)> _marks = [];

    /// <param name="operation">What was issued since the last mark.</param>
    public void Mark(string operation, CudaStream stream)
    {
        var mark = CudaEvent.Create(timing: true);
        mark.Record(stream);
        _marks.Add((operation, mark));
    }

    /// <summary>Milliseconds of each name, all of its operations together, the most first. After the step's end.</summary>
    public override string ToString()
    {
        var sums = new Dictionary<string, double>();
        for (var i = 1; i < _marks.Count; i++)
            sums[_marks[i].Name] = sums.GetValueOrDefault(_marks[i].Name) + _marks[i - 1].Event.MillisecondsTo(_marks[i].Event);
        return string.Join(", ", sums.OrderByDescending(s => s.Value).Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Key} {s.Value:0.00}")))
            + string.Create(CultureInfo.InvariantCulture, $"; all {sums.Values.Sum():0.00}");
    }

    public void Dispose()
    {
        foreach (var (_, mark) in _marks) mark.Dispose();
    }
}
