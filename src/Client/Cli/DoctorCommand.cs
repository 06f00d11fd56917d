using System.CommandLine;
using LServe.Cli.Doctor;
using LServe.Cli.Terminal;
using Spectre.Console;

namespace LServe.Cli;

/// <summary><c>lserve doctor</c>: can this machine serve, and what with? Exit code 1 when something is broken.</summary>
internal static class DoctorCommand
{
    private const int Broken = 1;

    public static Command Create()
    {
        var model = CommonOptions.Model();
        var port = new Option<int>("--port") { Description = "Port that serve would listen on", DefaultValueFactory = _ => 8080 };
        var command = new Command("doctor", "Check this machine, the model and the ports") { model, port };
        command.SetAction(async (parsed, cancellation) =>
        {
            List<Finding> findings =
            [
                .. MachineCheck.Look(), .. GpuCheck.Look(), EditionCheck.Look(), .. ModelCheck.Look(parsed.GetValue(model)),
                await PortCheck.LookAsync(parsed.GetValue(port), cancellation),
            ];
            Show(findings);
            return findings.Any(finding => finding.Health == Health.Broken) ? Broken : 0;
        });
        return command;
    }

    private static void Show(IEnumerable<Finding> findings)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var finding in findings)
            grid.AddRow(Mark(finding.Health), finding.What, Markup.Escape(finding.Text));
        Tables.Output.Write(grid);
    }

    private static string Mark(Health health) => health switch
    {
        Health.Good => "[green]ok[/]",
        Health.Note => "[yellow]note[/]",
        _ => "[red]broken[/]",
    };
}
