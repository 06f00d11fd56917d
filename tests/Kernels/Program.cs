using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace LServe.Tests.Kernels;

/// <summary>Runs these tests without the SDK, where the GPU is: <c>LServe.Kernels.Tests [PART OF A TEST'S NAME …]</c>. Exits with 1 when a test fails.</summary>
internal static class Program
{
    public static int Main(string[] parts)
    {
        using var report = new Report();
        using var framework = new XunitTestFramework(report);
        var assembly = Assembly.GetExecutingAssembly();
        using var discoverer = framework.GetDiscoverer(new ReflectionAssemblyInfo(assembly));
        var found = new Discovery();
        discoverer.Find(includeSourceInformation: false, found, new Options());
        found.Done.Wait();
        using var executor = framework.GetExecutor(assembly.GetName());
        executor.RunTests(found.Cases.Where(test => IsWanted(test, parts)), report, new Options());
        return report.Failures == 0 ? 0 : 1;
    }

    private static bool IsWanted(ITestCase test, string[] parts) =>
        parts.Length == 0 || parts.Any(part => test.DisplayName.Contains(part, StringComparison.Ordinal));

    private sealed class Discovery : LongLivedMarshalByRefObject, IMessageSink
    {
        public List<ITestCase> Cases { get; } = [];
        public ManualResetEventSlim Done { get; } = new();

        public bool OnMessage(IMessageSinkMessage message)
        {
            if (message is ITestCaseDiscoveryMessage discovered) Cases.Add(discovered.TestCase);
            if (message is IDiscoveryCompleteMessage) Done.Set();
            return true;
        }
    }

    private sealed class Report : LongLivedMarshalByRefObject, IMessageSink, IDisposable
    {
        private readonly ManualResetEventSlim _finished = new();
        private int _failures;

        public int Failures
        {
            get
            {
                _finished.Wait();
                return _failures;
            }
        }

        public bool OnMessage(IMessageSinkMessage message)
        {
            switch (message)
            {
                case ITestPassed passed:
                    Console.WriteLine($"passed  {passed.Test.DisplayName} ({passed.ExecutionTime:0.00} s) {passed.Output}".TrimEnd());
                    break;
                case ITestSkipped skipped:
                    Console.WriteLine($"skipped {skipped.Test.DisplayName}: {skipped.Reason}");
                    break;
                case ITestFailed failed:
                    _failures++;
                    Console.WriteLine($"FAILED  {failed.Test.DisplayName}: {string.Join(" <- ", failed.Messages)}\n{failed.StackTraces[0]}\n{failed.Output}");
                    break;
                case ITestAssemblyFinished end:
                    Console.WriteLine($"{end.TestsRun} tests, {end.TestsFailed} failed, {end.TestsSkipped} skipped, {end.ExecutionTime:0.0} s");
                    _failures = Math.Max(_failures, end.TestsFailed);
                    _finished.Set();
                    break;
            }
            return true;
        }

        public void Dispose() => _finished.Dispose();
    }

    /// <summary>One test at a time: they share a device.</summary>
    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> _values = new() { ["xunit.execution.DisableParallelization"] = true };

        public TValue GetValue<TValue>(string name) => _values.TryGetValue(name, out var value) ? (TValue)value! : default!;
        public void SetValue<TValue>(string name, TValue value) => _values[name] = value;
    }
}
